"use strict";

// On a narrow screen the tabs scroll; the one you are on should be in view.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// Menus are native <details>: they open and close without a script. This adds what people expect
// of a menu besides: Escape and a click elsewhere close it.
const openMenus = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("click", (event) => {
  for (const menu of openMenus()) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of openMenus()) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// Lists with a checkbox in each row. Without a script every row is ticked by itself; this adds the
// box that ticks them all, says how many are, and rests the buttons while there is nothing to do:
//
//   <form data-selection> … <output data-selected></output> <button data-needs-selection>
//     <input type="checkbox" data-select-all> … <input type="checkbox" data-select name="…">
const rowsOf = (list) => [...list.querySelectorAll("input[data-select]:enabled")];

function showSelection(list) {
  const rows = rowsOf(list);
  const ticked = rows.filter((row) => row.checked).length;
  for (const all of list.querySelectorAll("[data-select-all]")) {
    all.checked = ticked > 0 && ticked === rows.length;
    all.indeterminate = ticked > 0 && ticked < rows.length;
    all.disabled = rows.length === 0;
  }
  for (const button of list.querySelectorAll("[data-needs-selection]")) button.disabled = !ticked;
  for (const row of rows) row.closest("tr")?.classList.toggle("selected", row.checked);
  const words = ticked ? `${ticked} selected` : "None selected";
  for (const output of list.querySelectorAll("[data-selected]")) {
    if (output.textContent !== words) output.textContent = words;
  }
}

const showSelections = () => document.querySelectorAll("[data-selection]").forEach(showSelection);

document.addEventListener("change", (event) => {
  const list = event.target.closest("[data-selection]");
  if (!list) return;
  if (event.target.matches("[data-select-all]")) {
    for (const row of rowsOf(list)) row.checked = event.target.checked;
  }
  showSelection(list);
});

// The browser restores ticks on the way back, and htmx brings new rows.
window.addEventListener("pageshow", showSelections);
document.addEventListener("htmx:afterSettle", showSelections);

// A double click sends a form once: the second press is not heard while the answer is on its way.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!("once" in form.dataset)) return;
  if (form.dataset.once === "sent") event.preventDefault();
  form.dataset.once = "sent";
});

window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once]")) form.dataset.once = "";
});
