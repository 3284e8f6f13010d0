// Light, dark, or as the reader's system has it. The choice is kept for the next visit, where
// the browser keeps anything for a file.
"use strict";
const root = document.documentElement;
const themes = ["automatic", "light", "dark"];

function keptTheme() {
  try {
    return localStorage.getItem("relicheck-theme") || "automatic";
  } catch {
    return "automatic";
  }
}

function applyTheme(theme) {
  if (theme === "automatic") delete root.dataset.theme;
  else root.dataset.theme = theme;
}

applyTheme(keptTheme());

addEventListener("DOMContentLoaded", () => {
  const button = document.getElementById("theme");
  let theme = keptTheme();
  const show = () => (button.textContent = `Theme: ${theme}`);
  button.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    applyTheme(theme);
    show();
    try {
      localStorage.setItem("relicheck-theme", theme);
    } catch {
      // Nothing is kept then; the page is as it was chosen until it is closed.
    }
  });
  show();
  button.hidden = false;
});
