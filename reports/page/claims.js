// The claim table: search, filters, sorting, details, and the address of a single claim.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("claim-data").textContent);
  const texts = new Set(data.texts);
  const records = data.records.map((facts) => facts.map(([name, place]) => [name, data.pool[place]]));
  const claims = data.claims.map((row, place) => {
    const claim = { place };
    data.fields.forEach((name, column) => (claim[name] = texts.has(name) ? data.pool[row[column]] : row[column]));
    [claim.rank, claim.tone, claim.words] = data.verdicts[claim.verdict];
    claim.text = [claim.id, claim.method, claim.architecture, claim.dataset, claim.metric, claim.paper, claim.table, claim.value, claim.words]
      .join("\n").toLowerCase();
    return claim;
  });
  const byId = new Map();
  for (const claim of claims) byId.set(claim.id, [...(byId.get(claim.id) || []), claim]);

  const PAGE = 50; // rows at a time: a thousand take longer to lay out than to choose
  const table = document.getElementById("claim-table");
  const body = table.tBodies[0];
  const form = document.querySelector(".filters");
  const search = document.getElementById("search");
  const selects = [...form.querySelectorAll("select")];
  const tiles = [...document.querySelectorAll(".tile")];
  const status = document.getElementById("shown");
  const more = document.querySelector(".more");
  const heads = [...table.tHead.rows[0].cells];
  const open = new Set(); // places of the claims whose details are shown
  let sorting = null, direction = 1, limit = PAGE, found = claims;

  // --- choosing -------------------------------------------------------------------------

  const numeric = {
    value: (claim) => Number(claim.value),
    number: (claim) => claim.number,
    difference: (claim) => claim.difference,
    verdict: (claim) => claim.rank,
  };
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  function choose() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = selects.filter((select) => select.value).map((select) => [select.dataset.field, select.value]);
    found = claims.filter(
      (claim) =>
        chosen.every(([field, value]) => claim[field] === value) &&
        words.every((word) => claim.text.includes(word)),
    );
    if (sorting) found.sort(order);
  }

  function order(a, b) {
    const value = numeric[sorting] || ((claim) => claim[sorting]);
    const [first, second] = [value(a), value(b)];
    // What has no number comes last, whichever way the others go.
    if (first === null || second === null) return (first === null) - (second === null) || a.place - b.place;
    const difference = numeric[sorting] ? first - second : collator.compare(first, second);
    return direction * difference || a.place - b.place;
  }

  // --- drawing --------------------------------------------------------------------------

  function row(claim) {
    const unit = claim.unit === "as printed" ? "" : ` (${claim.unit})`;
    const shown = open.has(claim.place);
    const button = h(
      "button",
      { type: "button", class: "opener", "aria-expanded": shown, "aria-controls": `detail-${claim.place}`, "data-place": claim.place },
      claim.method,
    );
    const made = h(
      "tr",
      { "data-claim": claim.id, class: shown ? "opened" : null },
      h("th", { scope: "row" }, button, h("span", { class: "note" }, claim.architecture),
        h("span", { class: "note narrow" }, `${claim.dataset}, ${claim.metric}`)),
      h("td", { class: "dataset" }, claim.dataset, h("span", { class: "note" }, claim.metric + unit)),
      h("td", { class: "wide" }, claim.paper),
      h("td", { class: "figure", "data-label": "claimed" }, claim.value, claim.recalled ? " (recalled)" : ""),
      h("td", { class: "figure measured", "data-label": "measured" }, claim.measured),
      h("td", { class: "figure wide" }, claim.difference === null ? "" : signed(claim.difference)),
      h("td", { class: "verdict" }, h("span", { class: `badge ${claim.tone}` }, sign(claim.verdict, claim.tone), claim.words)),
    );
    return shown ? [made, detailRow(claim)] : [made];
  }

  function detailRow(claim) {
    const cell = h("td", { colspan: heads.length }, detail(byId.get(claim.id), records, claim.place));
    return h("tr", { class: "detail-row", id: `detail-${claim.place}` }, cell);
  }

  function draw() {
    const rows = found.slice(0, limit);
    body.replaceChildren(...rows.flatMap(row));
    status.textContent = found.length
      ? `${rows.length.toLocaleString("en")} of ${found.length.toLocaleString("en")} claims shown` +
        (found.length < claims.length ? `, chosen from ${claims.length.toLocaleString("en")}` : "")
      : "No claim fits. Shorten the search or reset the filters.";
    more.hidden = found.length <= limit;
    const verdict = document.getElementById("filter-verdict").value;
    for (const tile of tiles) tile.setAttribute("aria-pressed", tile.dataset.verdict === verdict);
  }

  function update() {
    limit = PAGE;
    choose();
    draw();
  }

  // --- sorting --------------------------------------------------------------------------

  for (const head of heads) {
    const button = h("button", { type: "button", class: "sorter" }, head.textContent, h("span", { class: "arrow", "aria-hidden": "true" }));
    button.addEventListener("click", () => {
      direction = sorting === head.dataset.sort ? -direction : 1;
      sorting = head.dataset.sort;
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      update();
    });
    head.replaceChildren(button);
  }

  // --- one claim ------------------------------------------------------------------------

  function toggle(claim) {
    const shown = !open.has(claim.place);
    if (shown) open.add(claim.place);
    else open.delete(claim.place);
    const opener = body.querySelector(`.opener[data-place="${claim.place}"]`);
    const line = opener.closest("tr");
    opener.setAttribute("aria-expanded", shown);
    line.classList.toggle("opened", shown);
    if (shown) line.after(detailRow(claim));
    else line.nextElementSibling.remove();
    if (shown) history.replaceState(null, "", `#${claim.id}`);
  }

  body.addEventListener("click", (event) => {
    const opener = event.target.closest(".opener");
    const line = event.target.closest("tr[data-claim]");
    // Whoever marks a number in a row to copy it does not want it opened.
    if (!line || (!opener && String(getSelection()))) return;
    toggle(claims[Number((opener || line.querySelector(".opener")).dataset.place)]);
  });

  function follow() {
    let id;
    try {
      id = decodeURIComponent(location.hash.slice(1));
    } catch {
      return; // not an address that this page has made
    }
    const claim = (byId.get(id) || [])[0];
    if (!claim) return;
    if (!found.includes(claim)) {
      search.value = "";
      for (const select of selects) select.value = "";
      choose();
    }
    limit = Math.max(limit, Math.ceil((found.indexOf(claim) + 1) / PAGE) * PAGE);
    open.add(claim.place);
    draw();
    const opener = body.querySelector(`.opener[data-place="${claim.place}"]`);
    opener.closest("tr").scrollIntoView({ block: "start" });
    opener.focus({ preventScroll: true });
  }

  // --- events ---------------------------------------------------------------------------

  search.addEventListener("input", update);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(update)); // after the fields have been cleared
  for (const select of selects) select.addEventListener("change", update);
  for (const tile of tiles) {
    tile.addEventListener("click", () => {
      const verdict = document.getElementById("filter-verdict");
      verdict.value = tile.getAttribute("aria-pressed") === "true" ? "" : tile.dataset.verdict;
      update();
      document.getElementById("claims").scrollIntoView();
    });
  }
  function reveal(rows) {
    const first = body.querySelectorAll("tr[data-claim]").length;
    limit += rows;
    draw();
    // The button is gone or further down: go on reading where the new rows begin.
    body.querySelectorAll(".opener")[first].focus();
  }

  document.getElementById("more").addEventListener("click", () => reveal(PAGE));
  document.getElementById("all").addEventListener("click", () => reveal(Infinity));
  addEventListener("hashchange", follow);
  // A second click on a link whose address is already shown changes no address.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.getAttribute("href") === location.hash) follow();
  });

  form.hidden = false;
  update();
  follow();
})();
