// What the desk does in the browser beyond htmx; every page works without it.
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 403) location.reload();
});
