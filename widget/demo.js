// Links to the plain chat page open the widget instead, where it runs.
for (const link of document.querySelectorAll("[data-sapa-open], [data-sapa-ask]")) {
  link.addEventListener("click", (event) => {
    const widget = document.querySelector("sapa-setneg");
    if (!widget?.open) return;
    event.preventDefault();
    widget.open();
    if (link.dataset.sapaAsk) widget.send(link.dataset.sapaAsk).catch(() => {});
  });
}
