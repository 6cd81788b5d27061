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

// Ctrl+Enter sends what is being written; once, however long it is held down.
document.addEventListener("keydown", (event) => {
  const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.repeat;
  if (sends && event.target.matches("[data-send-by-key]")) event.target.form.requestSubmit();
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
document.addEventListener("htmx:afterSwap", showNewest);

// A part that came as it was is left alone: what is selected in it stays so.
const received = new WeakMap();
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (received.get(detail.target) === detail.serverResponse) detail.shouldSwap = false;
  received.set(detail.target, detail.serverResponse);
});

// What is new in a part that is swapped whole is said by a status of its own: the part itself would be read out from its beginning.
const news = document.querySelector("[data-news]");
const newParts = () => [...document.querySelectorAll("[data-new]")];
const namesOf = (parts) => parts.map((one) => one.dataset.new);
let heard = namesOf(newParts());
document.addEventListener("htmx:afterSwap", () => {
  const fresh = newParts().filter((one) => !heard.includes(one.dataset.new));
  heard = namesOf(newParts());
  if (news && fresh.length) news.textContent = fresh.map((one) => one.innerText).join(" ");
});

// A file that is too large is named before it is sent.
document.addEventListener("change", ({ target }) => {
  if (!target.dataset?.largest) return;
  const tooLarge = [...target.files].some((file) => file.size > Number(target.dataset.largest));
  target.setCustomValidity(tooLarge ? target.dataset.tooLarge : "");
  if (tooLarge) target.reportValidity();
});

// Reading and writing keep the session going; what an open page asks by itself does not.
const SIGN_OF_LIFE = 60 * 1000;
let seen = Date.now();
const show = () => {
  if (Date.now() - seen < SIGN_OF_LIFE) return;
  seen = Date.now();
  fetch("/desk/account/here");
};
if (document.body.dataset.login) for (const sign of ["keydown", "pointerdown", "wheel"]) document.addEventListener(sign, show, { passive: true });

// Tell an officer who asked for it, on whichever page of the desk, that somebody has begun to wait. What is known already is kept from
// page to page, so that nobody who came in between is missed or told twice; the tag makes one notice of those of several windows.
const { somebodyWaits, signedOut } = document.body.dataset;
const queue = document.querySelector("[data-queue]");
const notify = document.querySelector("[data-notify]");
const notice = (text, tag) => {
  try {
    new Notification(text, { tag, renotify: true }).addEventListener("click", () => {
      focus();
      location.assign("/desk/queue");
    });
  } catch {
    // Browsers of Android know the name and refuse to make one.
  }
};
const tell = (list) => {
  const now = [...list.querySelectorAll("[data-waiting]")].map((one) => one.dataset.waiting);
  const known = JSON.parse(sessionStorage.getItem("waiting")) ?? now;
  sessionStorage.setItem("waiting", JSON.stringify(now));
  if (now.some((one) => !known.includes(one))) notice(somebodyWaits, "sapa-antrean");
};
const look = async () => {
  const response = await fetch("/desk/queue/list");
  if (response.ok && !response.redirected) tell(new DOMParser().parseFromString(await response.text(), "text/html"));
};
const tellSignedOut = () => notice(signedOut, "sapa-keluar");
const listenTo = (stream, event, hear) => {
  stream.addEventListener(event, hear);
  stream.addEventListener("signed_out", stop);
};
const stop = ({ target }) => {
  target.close();
  tellSignedOut();
};
const listen = () => {
  if (queue) {
    tell(queue);
    document.addEventListener("htmx:afterSwap", () => tell(queue));
  }
  // A page that has a stream hears of the queue by it: a session may hold only a few (bot/middleware.py).
  if (document.querySelector("[sse-connect]")) {
    document.addEventListener("htmx:sseOpen", ({ detail }) => listenTo(detail.source, "queue", look));
    document.addEventListener("htmx:beforeOnLoad", ({ detail }) => detail.xhr.status === 401 && tellSignedOut());
  } else listenTo(new EventSource("/desk/queue/events"), "changed", look);
};
if (somebodyWaits && "Notification" in window) {
  if (Notification.permission === "granted") listen();
  else if (notify && Notification.permission === "default") {
    notify.hidden = false;
    notify.addEventListener("click", async () => {
      const answer = await Notification.requestPermission();
      notify.hidden = answer !== "default";
      if (answer === "granted") listen();
    });
  }
}
