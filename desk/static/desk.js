// What the desk does in the browser beyond htmx; every page works without it.
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 403) location.reload();
});

// A file that is too large is named before it is sent.
document.addEventListener("change", ({ target }) => {
  if (!target.dataset?.largest) return;
  const tooLarge = [...target.files].some((file) => file.size > Number(target.dataset.largest));
  target.setCustomValidity(tooLarge ? target.dataset.tooLarge : "");
  if (tooLarge) target.reportValidity();
});
