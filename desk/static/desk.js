// What the desk does in the browser beyond htmx; every page works without it.

// A session that has ended, or a form of an older one: the page says so when it is loaded again.
document.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 403) location.reload();
});

// In a list, j and k or the arrows move and Enter opens as for any link. Only while the list has the focus: single letters elsewhere
// belong to screen readers and speech input (WCAG 2.1.4).
document.addEventListener("keydown", (event) => {
  const list = event.target.closest?.("[data-keys]");
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  if (!list || !step || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const links = [...list.querySelectorAll("li > a")];
  links[Math.min(Math.max(links.indexOf(document.activeElement) + step, 0), links.length - 1)]?.focus();
});

// Ctrl+Enter sends what is being written.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("[data-send-by-key]")) event.target.form.requestSubmit();
});

// A canned reply goes where the cursor is: by its button, or by typing its name, as in /sapa, and then a space or Tab.
const writing = document.querySelector("[data-canned]");
const canned = new Map([...document.querySelectorAll("[data-insert]")].map((button) => [button.value, button.dataset.insert]));
const insert = (text, from, to) => {
  writing.focus();
  writing.setRangeText(text, from, to, "end");
  writing.dispatchEvent(new Event("input", { bubbles: true }));
};
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  if (!button || !writing) return;
  event.preventDefault();
  button.closest("details").open = false;
  insert(button.dataset.insert, writing.selectionStart, writing.selectionEnd);
});
writing?.addEventListener("keydown", (event) => {
  if (event.key !== " " && event.key !== "Tab") return;
  const name = /(?:^|\s)\/([a-z0-9-]+)$/.exec(writing.value.slice(0, writing.selectionStart))?.[1];
  if (!canned.has(name)) return;
  event.preventDefault();
  insert(canned.get(name), writing.selectionStart - name.length - 1, writing.selectionStart);
});

// The newest message of a conversation stays in view.
const showNewest = () => document.querySelector("[data-newest-at-end] li:last-child")?.scrollIntoView({ block: "nearest" });
showNewest();

// Tell an officer who asked for it that somebody has begun to wait.
const notify = document.querySelector("[data-notify]");
if (notify && "Notification" in window) {
  notify.hidden = Notification.permission !== "default";
  notify.addEventListener("click", async () => {
    notify.hidden = (await Notification.requestPermission()) !== "default";
  });
}
const waiting = () => document.querySelectorAll("[data-queue] form").length;
let waitingBefore = waiting();
document.addEventListener("htmx:afterSwap", () => {
  showNewest();
  if (notify && waiting() > waitingBefore && Notification.permission === "granted") new Notification(notify.dataset.notify);
  waitingBefore = waiting();
});

// A file that is too large is named before it is sent.
document.addEventListener("change", ({ target }) => {
  if (!target.dataset?.largest) return;
  const tooLarge = [...target.files].some((file) => file.size > Number(target.dataset.largest));
  target.setCustomValidity(tooLarge ? target.dataset.tooLarge : "");
  if (tooLarge) target.reportValidity();
});
