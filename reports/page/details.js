// What a row of the claim table opens to: source, interval, records, command.
"use strict";
const SVG = "http://www.w3.org/2000/svg";

// h("p", {class: "note"}, "text", child): an element. Texts become text nodes, never markup.
function h(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function s(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

function sign(verdict, tone) {
  return s(
    "svg",
    { class: `sign ${tone}`, viewBox: "0 0 14 14", "aria-hidden": "true" },
    s("use", { href: `#sign-${verdict}` }),
  );
}

function signed(value) {
  const text = Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3);
  return Number(text) > 0 ? `+${text}` : Number(text) < 0 ? text.replace("-", "\u2212") : text.replace("-", "");
}

// The forest plot: claim at 0, the margin as a band, the 90 % interval of the difference.
function forest(claim, index) {
  const width = 420, left = 16, right = 404, middle = 42;
  const ends = [-claim.margin, claim.margin, claim.low, claim.high, claim.difference, 0];
  const reach = 1.15 * Math.max(...ends.map(Math.abs), 1e-6);
  const x = (value) => left + ((value + reach) / (2 * reach)) * (right - left);
  const unit = claim.unit === "%" || claim.unit === "points" ? " points" : "";
  const name = `forest-${index}`;
  const words =
    `Measured minus claimed ${signed(claim.difference)}${unit}, 90 % interval ` +
    `${signed(claim.low)} to ${signed(claim.high)}, margin ±${claim.margin}.`;
  const step = 10 ** Math.floor(Math.log10(reach));
  const tick = [5, 2, 1, 0.5].map((n) => n * step).find((n) => n <= reach * 0.75);
  return s(
    "svg",
    { viewBox: `0 0 ${width} 92`, role: "img", "aria-labelledby": `${name}-title`, class: "forest" },
    s("title", { id: `${name}-title` }, words),
    s("rect", {
      class: "margin", x: x(-claim.margin), width: Math.max(1, x(claim.margin) - x(-claim.margin)),
      y: 14, height: 50,
    }),
    ...[-tick, 0, tick].flatMap((value) => [
      s("line", { class: "grid", x1: x(value), x2: x(value), y1: 14, y2: 64 }),
      s("text", { class: "tick", x: x(value), y: 80, "text-anchor": "middle" }, value ? signed(value).replace(/0+$/, "") : `claim ${claim.value}`),
    ]),
    s("line", { class: "axis", x1: left, x2: right, y1: 64, y2: 64 }),
    s("line", { class: `bar ${claim.tone}`, x1: x(claim.low), x2: x(claim.high), y1: middle, y2: middle }),
    s("path", { class: `bar ${claim.tone}`, d: `M${x(claim.low)} ${middle - 6}v12M${x(claim.high)} ${middle - 6}v12` }),
    s("path", { class: `mark ${claim.tone}`, d: `M${x(claim.difference)} ${middle - 8}l8 8l-8 8l-8 -8z` }),
  );
}

function facts(pairs) {
  const shown = pairs.filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return h("dl", { class: "facts" }, ...shown.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function command(text) {
  const button = h("button", { type: "button", class: "quiet" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select it and copy";
    }
  });
  return h("div", { class: "command" }, h("pre", { tabindex: "0" }, h("code", {}, text)), button);
}

// Lines of a text, one below the other.
function lines(text) {
  return text ? h("span", {}, ...text.split("\n").map((line) => h("span", { class: "line" }, line))) : "";
}

// Links to the contradictions that a claim is part of: ids and titles in turn.
function disputes(text) {
  const parts = text ? text.split("\n") : [];
  const links = parts.flatMap((id, place) => (place % 2 ? [] : [h("a", { class: "line", href: `#contradiction-${id}` }, parts[place + 1])]));
  return links.length ? h("span", {}, ...links) : "";
}

// One verdict on a claim: several checkpoints that speak of one claim give several of these.
function judged(claim, records, index) {
  const parts = [h("p", { class: "reason" }, sign(claim.verdict, claim.tone), h("strong", {}, claim.words), ` \u2013 ${claim.reason}`)];
  if (claim.difference !== null && claim.low !== null) {
    parts.push(
      h("figure", {}, forest(claim, index),
        h("figcaption", {}, "Measured minus claimed: the diamond with its 90 % interval, the claim's rounding included. The band is the margin.")),
    );
  }
  if (claim.p_value !== null) {
    const family = claim.family === 1 ? "" : ` after Holm over ${claim.family} claims of its table`;
    parts.push(h("p", { class: "note" }, `p = ${claim.p_value.toPrecision(2)}${family} for "the claim holds within its margin".`));
  }
  if (claim.power) parts.push(h("p", { class: "note" }, claim.power));
  parts.push(h("h3", {}, "Repeat it"), command(claim.command));
  for (const place of claim.records) {
    parts.push(h("details", { class: "record" }, h("summary", {}, `Record ${records[place][0][1]}: ${records[place][1][1]}`), facts(records[place])));
  }
  return h("div", { class: "judged" }, ...parts);
}

// Everything about one claim; `claims` are its verdicts, one or more.
function detail(claims, records, index) {
  const claim = claims[0];
  const unit = claim.unit === "as printed" ? "" : ` ${claim.unit}`;
  return h(
    "div",
    { class: "detail" },
    h("div", { class: "source" },
      facts([
        ["Claim", h("code", { class: "id" }, claim.id)],
        ["Says", `${claim.paper}, ${claim.table}: ${claim.method}, ${claim.architecture}, ${claim.dataset}, ${claim.metric} ${claim.value}${unit}`],
        ["Source", claim.source + (claim.recalled ? " (recalled: nobody re-read it, so it is never judged)" : "")],
        ["Pretrained on", claim.pretrained],
        ["Protocol, in its words", claim.protocol],
        ["Judged as", claim.kind],
        ["Margin", claim.margin_reason],
        ["Measured by", claim.evaluators],
        ["Admissible protocols", claim.admissible],
        ["Chosen among several", claim.chosen],
        ["Costs about", lines(claim.cost)],
        ["Disputed", disputes(claim.disputed)],
      ])),
    ...claims.map((one, place) => judged(one, records, `${index}-${place}`)),
  );
}
