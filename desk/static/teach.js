// One key decides while the focus is inside a part marked data-shortcuts (WCAG 2.1.4); every button works without it.
document.addEventListener("keydown", (event) => {
  const part = document.querySelector("[data-shortcuts]");
  if (!part?.contains(document.activeElement) || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.matches("input, select, textarea")) return;
  const button = part.querySelector(`button[data-key="${CSS.escape(event.key)}"]`);
  const field = part.querySelector(`[data-key-focus="${CSS.escape(event.key)}"]`);
  if (button) {
    event.preventDefault();
    button.click();
  } else if (field) {
    event.preventDefault();
    field.closest("details").open = true;
    field.focus();
  }
});
