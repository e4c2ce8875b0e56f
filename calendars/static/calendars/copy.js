// Buttons that copy a text. Without this script a click on the text selects all of it.
"use strict";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const word = button.firstChild;
  word.textContent = "Copied";
  setTimeout(() => { word.textContent = "Copy"; }, 2000);
});
