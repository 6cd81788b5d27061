// Sapa Setneg chat widget. To embed it: webmaster.html. To change it: README.md.

// -- words

const TEXTS = {
  tag: ["id", "en-GB"],
  subtitle: ["Asisten informasi otomatis", "Automated information assistant"],
  launch: ["Tanya {0}", "Ask {0}"],
  unread: [", {0} pesan belum dibaca", ", {0} unread messages"],
  privacy: [
    "Mohon jangan menuliskan NIK, nomor paspor, nomor rekening, atau kata sandi di percakapan ini.",
    "Please do not write identity, passport or bank account numbers or passwords in this conversation.",
  ],
  privacyLink: ["Pelindungan data pribadi", "How personal data is protected"],
  log: ["Percakapan", "Conversation"],
  you: ["Anda", "You"],
  officer: ["Petugas", "Officer"],
  choices: ["Pilihan jawaban", "Suggested answers"],
  source: ["Sumber", "Source"],
  checked: ["diperiksa {0}", "checked on {0}"],
  newTab: [" (membuka tab baru)", " (opens a new tab)"],
  label: ["Tulis pesan", "Write a message"],
  keys: ["Enter mengirim, Shift+Enter baris baru", "Enter sends, Shift+Enter makes a new line"],
  send: ["Kirim pesan", "Send message"],
  count: ["{0} dari {1} huruf", "{0} of {1} characters"],
  tooLong: ["Pesan terlalu panjang. Kurangi {0} huruf.", "The message is too long. Remove {0} characters."],
  sending: ["Mengirim…", "Sending…"],
  sent: ["Terkirim", "Sent"],
  waiting: ["Gagal terkirim, akan dicoba lagi", "Not sent, will be tried again"],
  failed: ["Gagal terkirim", "Not sent"],
  retry: ["Coba lagi", "Try again"],
  copy: ["Salin pesan", "Copy message"],
  copied: ["Pesan disalin.", "Message copied."],
  typing: ["{0} sedang menulis…", "{0} is writing…"],
  newBelow: ["Pesan baru", "New message"],
  settings: ["Pengaturan percakapan", "Conversation settings"],
  close: ["Tutup percakapan", "Close the conversation"],
  size: ["Ukuran huruf", "Text size"],
  sizes: [["Biasa", "Besar", "Lebih besar", "Terbesar"], ["Normal", "Large", "Larger", "Largest"]],
  language: ["Bahasa tampilan", "Display language"],
  print: ["Cetak percakapan", "Print the conversation"],
  erase: ["Hapus percakapan", "Delete the conversation"],
  eraseAsk: [
    "Percakapan akan dihapus. Tiket tetap diproses. Simpan dahulu nomor dan kode akses Anda.",
    "The conversation will be deleted. Sent tickets stay. Keep your number and access code first.",
  ],
  eraseYes: ["Ya, hapus", "Yes, delete"],
  eraseNo: ["Batal", "Cancel"],
  erased: [
    "Percakapan telah dihapus. Tulis pesan untuk memulai yang baru.",
    "The conversation has been deleted. Write a message to begin a new one.",
  ],
  expired: [
    "Sesi sebelumnya berakhir, jadi percakapan baru dimulai. Tulisan yang belum terkirim ada di kotak pesan.",
    "The earlier session ended, so a new conversation begins. What you had not sent is in the message box.",
  ],
  offline: ["Anda sedang luring. Pesan dikirim saat tersambung lagi.", "You are offline. Messages are sent when the connection is back."],
  reconnect: ["Sambungan terputus. Mencoba menyambung lagi…", "The connection was lost. Trying again…"],
  error: ["Maaf, sistem sedang tidak dapat diakses.", "Sorry, the system cannot be reached at the moment."],
};
const [INDONESIAN, ENGLISH] = [0, 1].map((at) => Object.fromEntries(Object.entries(TEXTS).map(([key, both]) => [key, both[at]])));

const MAX_TEXT = 4000; // characters
const COUNT_FROM = 3500; // the counter shows from here on
const TIMEOUT = 30_000; // ms until a request counts as lost
const SILENCE = 60_000; // ms without a byte until an event stream counts as dead
const SMALL = "(max-width: 30em), (max-height: 30em)"; // the panel fills the screen
const LINKS = ["https:", "mailto:", "tel:"];
const LOCAL_DOWNLOAD = /^http:..(localhost|127\.0\.0\.1)(:\d+)?.(tanda-terima|data-saya).[\w.-]+$/; // docs/adr/0006

// -- look

const SHEET = new CSSStyleSheet();
SHEET.replaceSync(`
:host { all: initial; position: fixed; z-index: 2147483000; right: 0; bottom: 0; color-scheme: light dark;
  --brand: var(--sapa-brand, #14305c); --on-brand: var(--sapa-on-brand, #fff); --gold: var(--sapa-accent, #d9b45b); --gap: var(--sapa-gap, 1.25em);
  --paper: #f6f4ef; --card: #fff; --ink: #1b2333; --soft: #545d6e; --line: #dcd7cc; --edge: #7d8595; --link: #14478f; --seal: #7a1f2b; --bad: #a11d2a; --officer: #fbf3df; }
@media (prefers-color-scheme: dark) { :host {
  --paper: #10161f; --card: #1a2230; --ink: #e9edf4; --soft: #aab4c4; --line: #2d3747; --edge: #8391a6; --link: #a3c6ff; --seal: #f0a9ae; --bad: #ffa3a3; --officer: #2b2618; } }
* { box-sizing: border-box; margin: 0; }
[hidden], .log:has(.bot) .early { display: none !important; }
.root { font: medium/1.5 var(--sapa-font, system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif); color: var(--ink); overflow-wrap: break-word; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
button, textarea, select { font: inherit; color: inherit; background: none; border: 1px solid transparent; border-radius: 1.5em; }
button { min-width: 44px; min-height: 44px; display: grid; place-items: center; cursor: pointer; }
svg { width: 1.35em; fill: none; stroke: currentColor; stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; flex: none; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
a { color: var(--link); }

.launcher, .panel { position: fixed; bottom: var(--gap); right: var(--gap); box-shadow: 0 .3em 2em #0c1a3340; }
.left > .launcher, .left > .panel { right: auto; left: var(--gap); }
.launcher, .head, .user .bubble, .send, .below { color: var(--on-brand); background: var(--brand); }
.launcher { display: flex; gap: .65em; min-height: 56px; padding: .5em 1.35em .5em 1.1em; border-radius: 2em; border: 2px solid var(--gold); font-weight: 600; }
.badge { position: absolute; top: -.5em; right: -.2em; min-width: 1.7em; border-radius: 1em; color: #fff; background: #a3212f; border: 2px solid #fff; }

.panel { display: flex; flex-direction: column; overflow: hidden; width: min(25.5em, 100vw - 2 * var(--gap)); height: min(43em, 100dvh - 2 * var(--gap));
  background: var(--paper); border: 1px solid var(--line); border-radius: 1.1em; animation: rise .18s; font-size: calc(1em + .17em * var(--size)); }
@keyframes rise { from { opacity: 0; transform: translateY(.6em); } }
.head { flex: none; display: flex; align-items: center; gap: .25em; padding: .7em .5em .7em 1.1em; border-bottom: 3px solid var(--gold); }
.head :focus-visible { outline-color: currentColor; outline-offset: -4px; }
.mark { display: flex; padding: .5em; margin-right: .5em; border: 2px solid var(--gold); border-radius: 50%; }
.who { flex: 1; min-width: 0; outline: none; line-height: 1.35; } h2 { font-size: 1.15em; }
.who p, .badge, .below, .day, .name, .sources, .meta, .typing, .note, .banner, .under { font-size: .85em; }
.menu { overflow: auto; padding: .9em 1.1em; background: var(--card); border-bottom: 1px solid var(--line); display: grid; gap: .7em; }
.menu label { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: 0 1em; }
select { min-height: 44px; max-width: 100%; padding: 0 .8em; border-color: var(--edge); background: var(--card); }
.acts { display: flex; flex-wrap: wrap; gap: .5em; }
.note a { line-height: 44px; display: block; }
.pill { padding: .4em 1em; border-color: var(--edge); background: var(--card); color: var(--link); text-align: start; line-height: 1.35; }
button:hover { border-color: currentColor; }

.log { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 1em 1.1em .4em; position: relative; }
.log:focus-visible { outline-offset: -3px; }
.intro, .bubble, .notice { padding: .7em 1em; border-radius: 1.1em; background: var(--card); border: 1px solid var(--line); }
.intro { border-top: 3px solid var(--seal); }
p + .note { margin-top: .7em; padding-top: .7em; border-top: 1px solid var(--line); }
.day { display: flex; align-items: center; gap: .8em; margin: 1.2em 0 1em; color: var(--soft); }
.day::before, .day::after { content: ""; flex: 1; border-top: 1px solid var(--line); }
.notice { margin: 1em 0; border-style: dashed; }
.msg { max-width: 94%; width: fit-content; margin-bottom: .55em; animation: rise .2s; }
.user, .user .bubble { margin-left: auto; }
.name { font-weight: 600; color: var(--seal); margin: 0 .3em; }
.bubble { width: fit-content; max-width: 100%; border-bottom-left-radius: .3em; }
.officer .bubble { background: var(--officer); border-color: #b98d2f; }
.user .bubble { border-color: transparent; border-radius: 1.1em 1.1em .3em; }
.failed .bubble, .waiting .bubble { color: var(--ink); background: var(--card); border: 1px dashed var(--bad); }
p { white-space: pre-wrap; } .bubble > * + * { margin-top: .55em; }
ul { padding-left: 1.2em; } li + li { margin-top: .25em; }
.sources { padding-top: .5em; border-top: 1px solid var(--line); color: var(--soft); }
.sources > div { position: relative; min-height: 44px; padding: .3em 0; } .sources a::after { content: ""; position: absolute; inset: 0; }
.meta { display: flex; align-items: center; flex-wrap: wrap; gap: 0 .45em; padding: 0 .3em; color: var(--soft); }
.user .meta { justify-content: flex-end; }
.failed .state, .waiting .state, .under.over, .danger.pill { color: var(--bad); }
.icon { margin: -.6em -.8em; } .icon, .head button { border: 0; }
.choices { margin: .2em 0 .8em; }
.typing { padding: .7em 1em; color: var(--soft); }

.foot { flex: none; position: relative; padding: .65em .8em .6em; background: var(--card); border-top: 1px solid var(--line); }
.below { position: absolute; bottom: calc(100% + .5em); left: 50%; translate: -50%; border-color: var(--gold); padding: 0 1.2em; white-space: nowrap; }
.banner { padding: 0 .3em .5em; color: var(--soft); } .banner:empty { display: none; }
.box { display: flex; align-items: flex-end; border: 1px solid var(--edge); border-radius: 1.5em; }
.box:focus-within { outline: 3px solid var(--link); outline-offset: -1px; }
.box textarea { border: 0; outline: none; flex: 1; min-width: 0; min-height: 46px; max-height: 9.4em; padding: .65em .3em .6em 1.1em; resize: none; field-sizing: content; }
textarea::placeholder { color: var(--soft); opacity: 1; }
.send { margin: 1px; }
.send[aria-disabled=true] { background: none; color: var(--soft); }
.under { padding: .35em .5em 0; color: var(--soft); }

@media (pointer: coarse), (max-height: 30em) { .under:not(.near) { display: none; } }
@media ${SMALL} {
  .root > .panel { inset: 0 0 auto; width: 100%; height: var(--sapa-height, 100dvh); border: 0; border-radius: 0; }
  .hide-mobile .launcher { display: none; } }
@media (max-height: 30em) { .head, .foot { padding-block: .1em; } .who p { display: none; } textarea { max-height: 5em; } }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; } }
@media (forced-colors: active) { .user .bubble { border: 2px solid Highlight; } [aria-disabled=true] { color: GrayText !important; } }
@media print {
  .root:not(.printing), .launcher, .foot, .menu, button, .note, .typing { display: none !important; }
  :host, .root > .panel { position: static; width: auto; height: auto; } .log { overflow: visible; } .msg { animation: none; }
  .head, .msg .bubble { color: #000; background: #fff; border-color: #999; } }
`);

// On the embedding page, while the transcript prints.
const PRINT_SHEET = new CSSStyleSheet();
PRINT_SHEET.replaceSync("@media print { body *:not(:has(sapa-setneg), sapa-setneg) { display: none !important; } }");

const ICONS = {
  chat: "M4 5.5h16v11h-9l-4.5 3.5v-3.5H4zM8 9.5h8M8 12.7h5",
  close: "M6 6l12 12M18 6L6 18",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4",
  send: "M5 12h13M12.5 6l6 6-6 6",
  copy: "M9 9h10v11H9zM6 15H5V4h10v2",
};

// -- DOM from data

/** Functions are listeners; strings become text nodes; false and null are left out. */
function h(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

const pill = (label, onclick, kind = "") => h("button", { class: `pill ${kind}`, onclick }, label);
const tool = (name, label, onclick, kind) => h("button", { class: kind, "aria-label": label, title: label, onclick }, icon(name));

function icon(name) {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** The label alone if the address is not safe; a user name before "@" could fake a host. */
function link(label, address, words) {
  let url;
  try {
    url = new URL(address);
  } catch {}
  const local = url && LOCAL_DOWNLOAD.test(url.href);
  if (!url || !(LINKS.includes(url.protocol) || local) || url.username) return document.createTextNode(label);
  if (url.protocol !== "https:" && !local) return h("a", { href: url.href }, label);
  const attributes = { href: url.href, target: "_blank", rel: "noopener noreferrer" };
  return h("a", attributes, h("span", {}, label, h("span", { class: "sr" }, words.newTab)));
}

const INLINE = /\*\*(.+?)\*\*|\[([^\][\n]+)\]\(([^\s()]+(?:\([^\s()]*\)[^\s()]*)*)\)|https:\/\/[^\s<>"*]*[^\s<>"*.,;:!?)\]']/g;

function inline(text, words) {
  const nodes = [];
  let end = 0;
  for (const { 0: all, 1: bold, 2: label, 3: address, index } of text.matchAll(INLINE)) {
    nodes.push(text.slice(end, index), bold ? h("strong", {}, ...inline(bold, words)) : link(label ?? all, address ?? all, words));
    end = index + all.length;
  }
  return [...nodes, text.slice(end)];
}

function blocks(text, words) {
  return text
    .split(/\n\s*\n|\n(?=\s*-\s)|(?<=(?:^|\n)\s*-\s.*)\n/)
    .reduce((nodes, part) => {
      const item = /^\s*-\s+([^]*)/.exec(part);
      if (!item) return part.trim() ? [...nodes, h("p", {}, ...inline(part.trim(), words))] : nodes;
      if (nodes.at(-1)?.localName !== "ul") nodes.push(h("ul"));
      nodes.at(-1).append(h("li", {}, ...inline(item[1], words)));
      return nodes;
    }, []);
}

// -- small tools

const fill = (text, ...values) => text.replace(/\{(\d)\}/g, (all, index) => values[index]);
const array = (value) => (Array.isArray(value) ? value : []);
const backOff = (tries) => 1000 * 2 ** Math.min(tries, 5) * (0.75 + Math.random() / 2); // ms
const flag = (value) => value != null && value !== "false";

const uuid = () => URL.createObjectURL(new Blob()).slice(-36); // crypto.randomUUID exists in secure contexts only

/** Storage may be blocked: then the conversation lives as long as the page. */
function stored(key, value) {
  try {
    if (value) localStorage.setItem(key, JSON.stringify(value));
    return JSON.parse(localStorage.getItem(key)) ?? {};
  } catch {
    return {};
  }
}

/** HTTP status, or 0 for the network; a sentence to show; ms to wait. */
class Problem extends Error {
  constructor(status, message = "", wait = 0) {
    super(message);
    Object.assign(this, { status, wait });
  }
  get passes() {
    return /^(0|408|409|425|429|5..)$/.test(this.status);
  }
}

function clean(message) {
  const date = new Date(message?.at);
  return {
    seq: Number(message?.seq),
    cid: message?.client_message_id,
    from: ["user", "officer"].includes(message?.from) ? message.from : "bot",
    text: String(message?.text ?? ""),
    buttons: array(message?.buttons),
    sources: array(message?.sources),
    at: isNaN(date) ? new Date() : date,
  };
}

// -- the element

const SCRIPT = [...document.querySelectorAll("script[type=module]")].find((script) => script.src === import.meta.url);

export class SapaSetneg extends HTMLElement {
  #options;
  #server;
  #key;
  #settings;
  #ui;
  #theme = new CSSStyleSheet();
  #opened = false;
  #life; // aborts all listeners
  #channel;
  #sleepers = new Set();

  #token = null;
  #starting = null; // promise of the session being made
  #base = 0; // sort key of the present session's seq 0
  #cursor = 0;
  #read = 0;
  #items = [];
  #outbox = [];
  #pumping = false;
  #live = null;
  #down = false;
  #draft = "";

  connectedCallback() {
    this.#options = { ...SCRIPT?.dataset, ...this.dataset };
    this.#server = new URL(this.#options.server || import.meta.url, document.baseURI).origin;
    this.#key = `sapa-setneg@${this.#server}`;
    this.#settings = { size: "0", ...stored("sapa-setneg") };
    const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [SHEET, this.#theme];
    this.#paint();
    this.#listen();
    this.#sync();
    if (flag(this.#options.open)) this.open({ focus: false });
  }

  disconnectedCallback() {
    this.#life.abort();
    this.#live?.abort();
    this.#channel.close();
    this.#wake();
    this.#opened = false;
    this.#token = null;
    this.#cursor = 0;
    this.#items = [];
    this.#outbox = [];
  }

  get unread() {
    return this.#items.filter((item) => item.seq > this.#read && item.from !== "user").length;
  }

  open({ focus = true } = {}) {
    if (!this.#opened) {
      this.#opened = true;
      if (!this.#ui.panel) this.#buildPanel();
      this.#show();
      if (this.#begun) this.#toEnd();
      this.#tell("open");
      this.#begin();
    }
    // Focus would raise a touch screen's keyboard.
    if (focus) this.#ui[matchMedia("(pointer: coarse)").matches ? "who" : "input"].focus();
  }

  close() {
    if (!this.#opened) return;
    const inside = this.shadowRoot.activeElement;
    this.#opened = false;
    this.#show();
    if (inside) this.#ui.launcher.focus();
    this.#tell("close");
  }

  /** Opens the panel, for the privacy note is there; settles when the server has the message. */
  send(text) {
    this.open({ focus: false });
    return this.#enqueue(String(text).trim());
  }

  // -- painting

  get #words() {
    const wanted = this.#settings.locale || this.#options.locale || document.documentElement.lang;
    return /^en/i.test(wanted) ? ENGLISH : INDONESIAN;
  }

  get #name() {
    return this.#options.name || "Sapa Setneg";
  }

  #set(settings) {
    Object.assign(this.#settings, settings);
    stored("sapa-setneg", this.#settings);
    this.#style("--size", this.#settings.size);
  }

  #date(date, options = { day: "numeric", month: "long", year: "numeric" }) {
    return date.toLocaleString(this.#words.tag, options);
  }

  #paint() {
    const words = this.#words;
    const { launcher, position = "right", hideMobile, color } = this.#options;
    const ui = (this.#ui = {});
    ui.hint = h("span", { class: "sr" });
    ui.badge = h("span", { class: "badge", "aria-hidden": "true" });
    ui.launcher = h(
      "button",
      { class: "launcher", "aria-haspopup": "dialog", onclick: () => this.open() },
      icon("chat"),
      h("span", {}, launcher || fill(words.launch, this.#name), ui.hint),
      ui.badge,
    );
    ui.outside = h("div", { class: "sr", role: "status" }); // tells of new messages while the panel is closed
    ui.root = h("div", { class: `root ${position} ${flag(hideMobile) ? "hide-mobile" : ""}`, lang: words.tag }, ui.launcher, ui.outside);
    this.shadowRoot.replaceChildren(ui.root);
    this.#theme.replaceSync(":host {}");
    this.#style("--size", this.#settings.size);
    if (CSS.supports("color", color)) this.#style("--sapa-brand", color);
    // Black or white, whichever can be read on the colour.
    const [r, g, b] = (getComputedStyle(ui.launcher).backgroundColor.match(/\d+/g) ?? []).map((part) => (part / 255) ** 2.2);
    if (0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18) this.#style("--sapa-on-brand", "#111");
    this.#showUnread();
  }

  #style(...property) {
    this.#theme.cssRules[0].style.setProperty(...property);
  }

  #buildPanel() {
    const words = this.#words;
    const ui = this.#ui;
    ui.who = h("div", { class: "who", tabindex: "-1" }, h("h2", { id: "title" }, this.#name), h("p", {}, words.subtitle));
    ui.settings = tool("settings", words.settings, () => this.#toggleMenu());
    ui.settings.setAttribute("aria-expanded", "false");
    ui.menu = h("div", { class: "menu", role: "group", "aria-label": words.settings, hidden: true });
    const { start, privacy } = this.#options;
    const more = privacy && link(words.privacyLink, new URL(privacy, document.baseURI).href, words);
    // The assistant greets with the same: .early goes then.
    const intro = h(
      "div",
      { class: `intro ${start || more ? "" : "early"}`, "aria-live": "off" },
      start && h("p", {}, start),
      h("p", { class: `note ${more ? "" : "early"}` }, h("span", { class: "early", id: "privacy" }, words.privacy), more),
    );
    ui.typing = h("div", { class: "typing", "aria-live": "off", hidden: true });
    ui.log = h("div", { class: "log", role: "log", tabindex: "0", "aria-live": "polite", "aria-label": words.log }, intro, ui.typing);
    ui.log.addEventListener("scroll", () => this.#atEnd() && (ui.below.hidden = true));
    ui.below = h("button", { class: "below", hidden: true, onclick: () => this.#toEnd() }, words.newBelow);
    ui.banner = h("div", { class: "banner", role: "status" });
    ui.input = h("textarea", {
      rows: "1",
      "aria-label": words.label,
      placeholder: `${words.label}…`,
      enterkeyhint: "send",
      "aria-describedby": "under privacy",
      oninput: () => this.#typed(),
      onkeydown: (event) => {
        // 229: Safari ends a composition before its last key.
        if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
        event.preventDefault();
        this.#submit();
      },
    });
    ui.input.value = this.#draft;
    ui.send = tool("send", words.send, () => this.#submit(), "send");
    ui.under = h("div", { class: "under", id: "under" });
    const close = tool("close", words.close, () => this.close());
    ui.panel = h(
      "div",
      { class: "panel", role: "dialog", "aria-labelledby": "title", hidden: true, onkeydown: (event) => this.#panelKey(event) },
      h("div", { class: "head" }, h("span", { class: "mark" }, icon("chat")), ui.who, ui.settings, close),
      ui.menu,
      ui.log,
      h("div", { class: "foot" }, ui.below, ui.banner, h("div", { class: "box" }, ui.input, ui.send), ui.under),
    );
    ui.root.append(ui.panel);
    this.#quietly();
    this.#items.forEach((item) => this.#place(item));
    this.#ageButtons();
    this.#typed();
  }

  #show() {
    const { panel, launcher } = this.#ui;
    if (!panel) return;
    panel.hidden = !this.#opened;
    launcher.hidden = this.#opened;
    panel.setAttribute("aria-modal", matchMedia(SMALL).matches);
    const { height, scale } = window.visualViewport ?? {};
    this.#style("--sapa-height", scale === 1 ? `${height}px` : "");
    this.#markRead();
  }

  /** History is not news: the live region stays silent while it comes in. */
  #quietly() {
    const { log } = this.#ui;
    log?.setAttribute("aria-live", "off");
    setTimeout(() => log?.setAttribute("aria-live", "polite"), 500);
  }

  #toggleMenu(show = this.#ui.menu.hidden) {
    const { menu, settings } = this.#ui;
    if (show) this.#fillMenu();
    menu.hidden = !show;
    settings.setAttribute("aria-expanded", show);
    (show ? menu.querySelector("select") : settings).focus();
  }

  #fillMenu() {
    const words = this.#words;
    const choose = (label, options, current, onchange) => {
      const select = h("select", { onchange: () => onchange(select.value) });
      select.append(...Object.entries(options).map(([value, text]) => h("option", { value, selected: value === current }, text)));
      return h("label", {}, label, select);
    };
    const erase = pill(words.erase, () => ((ask.hidden = false), no.focus()), "danger");
    const no = pill(words.eraseNo, () => ((ask.hidden = true), erase.focus()));
    const yes = pill(words.eraseYes, () => this.#erase(), "danger");
    const ask = h("div", { role: "group", "aria-label": words.erase, hidden: true }, h("p", {}, words.eraseAsk), h("div", { class: "acts" }, yes, no));
    this.#ui.menu.replaceChildren(
      choose(words.size, words.sizes, this.#settings.size, (size) => this.#set({ size })),
      choose(words.language, { id: "Indonesia", en: "English" }, words.tag.slice(0, 2), (locale) => this.#speak(locale)),
      h("div", { class: "acts" }, pill(words.print, () => this.#print()), this.#token && erase),
      ask,
    );
  }

  #speak(locale) {
    this.#set({ locale });
    this.#paint();
    this.#buildPanel();
    this.#show();
    this.#toEnd();
    this.#toggleMenu();
    this.#ui.menu.querySelectorAll("select")[1].focus();
  }

  #panelKey(event) {
    const { menu, panel } = this.#ui;
    if (event.key === "Escape" && !event.isComposing) {
      event.stopPropagation();
      if (menu.hidden) this.close();
      else this.#toggleMenu();
    }
    if (event.key !== "Tab") return;
    const all = [...panel.querySelectorAll("a, button, textarea, select, .log")].filter((element) => element.tabIndex >= 0 && element.offsetParent);
    const at = all.indexOf(this.shadowRoot.activeElement);
    if (event.shiftKey ? at > 0 : at !== all.length - 1) return;
    event.preventDefault();
    all.at(event.shiftKey ? -1 : 0).focus();
  }

  // -- the log

  #add(item) {
    item.key ??= this.#base + item.seq;
    const index = this.#items.findLastIndex((other) => other.key <= item.key) + 1;
    this.#items.splice(index, 0, item);
    this.#place(item);
  }

  #place(item) {
    const { log, typing } = this.#ui;
    if (!log) return;
    const index = this.#items.indexOf(item);
    const next = this.#items.slice(index + 1).find((other) => other.element?.parentNode === log);
    const day = item.at.toDateString();
    item.element = item.notice ? h("div", { class: "notice" }, item.notice) : this.#drawMessage(item);
    item.element.dataset.day = day;
    let before = next?.element ?? typing;
    if (next && next.element.dataset.day !== day) before = before.previousElementSibling; // its date separator
    if (before.previousElementSibling.dataset.day !== day) {
      log.insertBefore(h("div", { class: "day", "aria-live": "off", "data-day": day }, this.#date(item.at, { dateStyle: "full" })), before);
    }
    log.insertBefore(item.element, before);
  }

  #drawMessage(item) {
    const words = this.#words;
    const who = { user: words.you, officer: words.officer, bot: this.#name }[item.from];
    const time = h("time", { datetime: item.at.toISOString() }, this.#date(item.at, { hour: "2-digit", minute: "2-digit" }));
    const copy = tool("copy", words.copy, () => this.#copy(item), "icon");
    item.bubble = h("div", { class: "bubble" });
    item.status = h("span", { class: "state" });
    item.actions = h("span");
    const choices = item.buttons.map(({ id, label }) => pill(String(label), () => item.choices.hidden || this.#press(String(id), String(label))));
    item.choices = h("div", { class: "acts choices", role: "group", "aria-label": words.choices }, ...choices);
    item.element = h(
      "div",
      { class: `msg ${item.from}`, tabindex: "-1", "aria-live": item.from === "user" && "off" },
      h("div", { class: item.from === "officer" ? "name" : "sr" }, who, h("span", { class: "sr" }, ": ")),
      item.bubble,
      h("div", { class: "meta", "aria-live": "off" }, time, item.status, item.actions, copy),
      choices.length > 0 && item.choices,
    );
    this.#drawBody(item);
    this.#drawState(item);
    return item.element;
  }

  #drawBody({ bubble, from, text, sources }) {
    const words = this.#words;
    // What a citizen typed is shown as typed.
    bubble.replaceChildren(...(from === "user" ? [h("p", {}, text)] : blocks(text, words)));
    const source = ({ title, url, checked_on }) => {
      const date = new Date(`${checked_on}T00:00`);
      const checked = checked_on && fill(words.checked, isNaN(date) ? checked_on : this.#date(date));
      return h("div", {}, link(String(title || url), url, words), checked && h("div", {}, checked));
    };
    if (sources.length) bubble.append(h("div", { class: "sources" }, h("strong", {}, words.source), ...sources.map(source)));
  }

  #drawState(item) {
    if (!item.bubble || item.from !== "user") return;
    const words = this.#words;
    item.element.className = `msg user ${item.state ?? ""}`;
    item.status.textContent = words[item.state ?? "sent"] + (item.error ? `. ${item.error}` : "");
    item.actions.replaceChildren(...(item.error != null ? [pill(words.retry, () => this.#retry(item))] : []));
  }

  #setState(item, state, error = null) {
    Object.assign(item, { state, error });
    this.#drawState(item);
  }

  #remove(item) {
    this.#items = this.#items.filter((other) => other !== item);
    item.element?.remove();
  }

  #notice(notice) {
    this.#add({ notice, at: new Date(), key: this.#after() });
  }

  /** A sort key directly after what is there now. */
  #after() {
    return (this.#items.at(-1)?.key ?? this.#base) + 1e-4;
  }

  /** Buttons answer the last question only. */
  #ageButtons() {
    const asked = this.#items.findLastIndex((item) => item.from === "user" || item.notice);
    this.#items.forEach(({ choices }, index) => choices && (choices.hidden = index < asked));
  }

  #atEnd() {
    const { log } = this.#ui;
    return !log || log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  }

  #toEnd() {
    const { log, below } = this.#ui;
    log.scrollTop = log.scrollHeight;
    below.hidden = true;
  }

  #markRead() {
    const last = Math.max(0, ...this.#items.map((item) => item.seq || 0));
    if (this.#opened && !document.hidden && this.#token && last > this.#read) {
      this.#read = last;
      stored(this.#key, { token: this.#token, read: last });
    }
    this.#showUnread();
  }

  #showUnread() {
    const { badge, hint } = this.#ui;
    const count = this.unread;
    badge.hidden = !count;
    hint.textContent = count ? fill(this.#words.unread, count) : "";
    if (badge.textContent === String(count)) return;
    badge.textContent = count;
    this.#tell("unread", { count });
  }

  async #copy({ bubble }) {
    try {
      await navigator.clipboard.writeText(bubble.innerText.replaceAll(this.#words.newTab, ""));
    } catch {
      getSelection().selectAllChildren(bubble); // no clipboard without https
      document.execCommand("copy");
    }
    this.#say(this.#words.copied, 4000);
  }

  #print() {
    const sheets = document.adoptedStyleSheets;
    document.adoptedStyleSheets = [...sheets, PRINT_SHEET];
    this.#ui.root.classList.add("printing");
    const done = () => {
      document.adoptedStyleSheets = sheets;
      this.#ui.root.classList.remove("printing");
    };
    addEventListener("afterprint", done, { once: true });
    print();
  }

  #say(text, ms = 0) {
    const { banner } = this.#ui;
    if (!banner) return;
    if (banner.textContent !== text) banner.textContent = text;
    if (ms) setTimeout(() => banner.textContent === text && (banner.textContent = ""), ms);
  }

  #connection(error = null) {
    if (!error && this.#down) this.#say("");
    this.#down = Boolean(error);
    if (!error) return;
    const words = this.#words;
    this.#say(error.status ? error.message || words.error : navigator.onLine ? words.reconnect : words.offline);
    this.#tell("error", { status: error.status });
  }

  #typing(who, ms = TIMEOUT) {
    const { typing } = this.#ui;
    if (!typing) return;
    clearTimeout(typing.timer);
    const follow = who && this.#begun && this.#atEnd();
    typing.hidden = !who;
    typing.textContent = fill(this.#words.typing, who);
    if (follow) this.#toEnd();
    if (who) typing.timer = setTimeout(() => this.#typing(), ms);
  }

  // -- sending

  #typed() {
    const { input, send, under } = this.#ui;
    const words = this.#words;
    this.#draft = input.value;
    const length = [...input.value.trim()].length;
    const over = length > MAX_TEXT;
    const near = length >= COUNT_FROM;
    const number = (n) => n.toLocaleString(words.tag);
    if (!CSS.supports("field-sizing", "content")) input.rows = Math.min(5, input.value.split("\n").length);
    send.setAttribute("aria-disabled", over || !length);
    input.setAttribute("aria-invalid", over);
    under.textContent = over ? fill(words.tooLong, number(length - MAX_TEXT)) : near ? fill(words.count, number(length), number(MAX_TEXT)) : words.keys;
    // Read out on crossing a limit only.
    const kind = `under ${near ? "near" : ""} ${over ? "over" : ""}`;
    if (near && under.className !== kind) this.#say(under.textContent, 900);
    under.className = kind;
  }

  #submit() {
    const { input, send } = this.#ui;
    if (send.getAttribute("aria-disabled") === "false") {
      this.#enqueue(input.value.trim()).catch(() => {}); // the bubble tells
      input.value = "";
      this.#typed();
    }
    input.focus();
  }

  #press(id, label) {
    this.#enqueue(label, id).catch(() => {});
    // Tab goes on from here.
    this.#outbox.at(-1)?.element.focus();
  }

  #enqueue(text, button) {
    if (!text) return Promise.resolve();
    const item = { ...clean({ from: "user", text }), seq: 0, key: this.#after(), cid: uuid(), button, state: "sending", tries: 0 };
    return new Promise((resolve, reject) => {
      this.#push(Object.assign(item, { resolve, reject }));
    });
  }

  #push(item) {
    this.#outbox.push(item);
    this.#add(item);
    this.#ageButtons();
    this.#toEnd();
    this.#pump();
  }

  /** One at a time, in order; what may have arrived goes again under its own id. */
  async #pump() {
    if (this.#pumping) return;
    this.#pumping = true;
    while (this.#outbox.length) {
      const item = this.#outbox[0];
      try {
        await this.#deliver(item);
      } catch (error) {
        this.#typing();
        if (this.#outbox[0] === item) await this.#undelivered(item, error);
      }
    }
    this.#pumping = false;
  }

  async #deliver(item) {
    await this.#session();
    if (this.#outbox[0] !== item) return;
    const { cid, button, text } = item;
    this.#typing(this.#name);
    const answer = await this.#call("POST", "messages", { client_message_id: cid, ...(button ? { button } : { text }) });
    this.#outbox.shift();
    this.#connection();
    this.#typing();
    const messages = array(answer.messages).map(clean);
    const echo = messages.find(({ from }) => from === "user");
    if (echo) this.#adopt(item, echo);
    this.#setState(item, "sent");
    item.resolve();
    this.#accept(messages);
    this.#channel.postMessage({ token: this.#token, messages: answer.messages, look: !echo });
  }

  async #undelivered(item, error) {
    this.#connection(error);
    if (error.passes) {
      this.#setState(item, "waiting", error.message);
      this.#toEnd();
      await this.#sleep(error.wait || backOff(item.tries++));
      this.#setState(item, "sending");
    } else {
      this.#outbox.shift();
      this.#setState(item, "failed", error.message);
      this.#toEnd();
      item.reject(error);
    }
  }

  #retry(item) {
    if (item.state === "failed") {
      this.#remove(item); // to the end of the log, where the answer will be
      this.#push(Object.assign(item, { key: this.#after(), state: "sending", error: null, at: new Date() }));
    }
    this.#wake();
    this.#ui.input.focus();
  }

  // -- receiving

  /** The stored text may be masked. */
  #adopt(item, { seq, text }) {
    const twin = this.#find(seq);
    if (twin && twin !== item) this.#remove(twin);
    Object.assign(item, { seq, text });
    if (item.bubble) this.#drawBody(item);
  }

  get #begun() {
    return this.#items.some(({ from }) => from === "user");
  }

  #find(seq) {
    return this.#items.find((item) => item.seq === seq);
  }

  #accept(messages, quiet = false) {
    const { outside, log, below } = this.#ui;
    const follow = this.#atEnd();
    const fresh = messages.filter((message) => !this.#find(message.seq) && !this.#mine(message));
    if (!fresh.length) return this.#markRead();
    if (quiet) this.#quietly();
    fresh.forEach((message) => this.#add(message));
    // What still waits stays last, where its answer will be.
    const waiting = this.#outbox.filter(({ seq }) => !seq);
    for (const item of waiting) {
      this.#remove(item);
      this.#add(Object.assign(item, { key: this.#after() }));
    }
    this.#ageButtons();
    for (const { seq, from } of fresh) this.#tell("message", { seq, from });
    const first = fresh.find(({ from }) => from !== "user");
    if (first) this.#typing();
    if (first && !this.#opened && !quiet) outside.textContent = `${this.#words.newBelow}: ${this.#words[first.from] ?? this.#name}`;
    // Until something was sent, the privacy note stays in view.
    if (first && log && this.#begun) {
      if (quiet || (follow && waiting[0])) this.#toEnd();
      else if (follow) log.scrollTop = first.element.offsetTop - 16;
      else below.hidden = false;
    }
    this.#markRead();
  }

  /** An own message heard of before its POST was answered. */
  #mine(message) {
    const mine = message.from === "user" && this.#items.find((item) => item.seq === 0 && item.cid && (message.cid ?? item.cid) === item.cid && (message.cid || item.text === message.text));
    if (mine) this.#adopt(mine, message);
    return mine;
  }

  /** Only this and the stream, which begins at the cursor, move it, so that no gap is skipped. */
  async #catchUp(quiet = false) {
    const token = this.#token;
    try {
      for (let more = token; more && token === this.#token; ) {
        const answer = await this.#call("GET", `messages?after=${this.#cursor}`);
        const messages = array(answer.messages).map(clean);
        this.#accept(messages, quiet);
        this.#cursor = Math.max(this.#cursor, ...messages.map(({ seq }) => seq));
        more = messages.length >= 50; // history may come in pages
      }
      this.#connection();
    } catch (error) {
      if (token === this.#token) this.#connection(error);
      throw error;
    }
  }

  // -- session

  async #session() {
    if (!this.#token) await (this.#starting ??= this.#start().finally(() => (this.#starting = null)));
  }

  async #start() {
    const { token, messages } = await this.#call("POST", "sessions", { locale: this.#words.tag.slice(0, 2) });
    if (stored(this.#key).token) return this.#sync(); // another tab was faster
    stored(this.#key, { token });
    this.#token = token;
    this.#accept(array(messages).map(clean));
    this.#use(token);
    this.#channel.postMessage({ sync: true });
  }

  async #use(token) {
    this.#live?.abort();
    const { signal } = (this.#live = new AbortController());
    this.#token = token;
    await this.#catchUp(!this.#cursor).catch(() => {});
    this.#follow(signal);
  }

  async #begin() {
    for (let tries = 0; this.#opened && !this.#token; tries++) {
      const error = await this.#session().catch((reason) => reason);
      if (!error) return;
      this.#connection(error);
      if (!error.passes) return;
      await this.#sleep(error.wait || backOff(tries));
    }
  }

  /** Unsent text returns to the text box. */
  #expire() {
    const unsent = this.#outbox.filter(({ button }) => !button);
    for (const item of this.#outbox.splice(0)) {
      this.#remove(item);
      item.reject(new Problem(401));
    }
    this.#draft = [...unsent.map(({ text }) => text), this.#draft].filter(Boolean).join("\n");
    if (this.#ui.input) {
      this.#ui.input.value = this.#draft;
      this.#typed();
    }
    if (stored(this.#key).token === this.#token) stored(this.#key, {});
    this.#leave();
    this.#notice(this.#words.expired);
    this.#sync();
    this.#begin();
  }

  #leave() {
    this.#live?.abort();
    this.#token = null;
    this.#base += 1e9;
    this.#cursor = this.#read = 0;
    for (const item of this.#items) item.seq = item.cid = null;
    this.#showUnread();
  }

  async #erase() {
    try {
      await this.#call("DELETE", "sessions");
    } catch (error) {
      if (![401, 404].includes(error.status)) return this.#connection(error);
    }
    stored(this.#key, {});
    this.#channel.postMessage({ erased: true });
    this.#toggleMenu();
    this.#erased();
  }

  #erased() {
    this.#leave();
    this.#items = [];
    this.#outbox = [];
    this.#draft = "";
    this.#paint();
    this.#buildPanel();
    this.#notice(this.#words.erased);
    this.#show();
    if (this.#opened) this.#ui.input.focus();
  }

  // -- network

  #fetch(method, path, signal, body) {
    const headers = {};
    if (body) headers["Content-Type"] = "application/json";
    if (this.#token) headers.Authorization = `Bearer ${this.#token}`;
    body &&= JSON.stringify(body);
    return fetch(`${this.#server}/api/chat/${path}`, { method, headers, body, signal, credentials: "omit", cache: "no-store" });
  }

  async #call(method, path, body) {
    const token = this.#token;
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), TIMEOUT);
    try {
      const response = await this.#fetch(method, path, abort.signal, body);
      if (response.status === 401 && method !== "DELETE" && token && token === this.#token) this.#expire();
      const answer = await response.json().catch(() => ({}));
      // The answer of a session left meanwhile is dropped.
      if (response.ok && token === this.#token) return answer;
      throw new Problem(response.status, String(answer.detail || answer.title || ""), 1000 * (response.headers.get("Retry-After") || 0));
    } catch (error) {
      throw error instanceof Problem ? error : new Problem(0);
    } finally {
      clearTimeout(timer);
    }
  }

  #sleep(ms) {
    return new Promise((resolve) => {
      this.#sleepers.add(resolve);
      setTimeout(resolve, ms);
    });
  }

  #wake() {
    for (const resolve of this.#sleepers) resolve();
    this.#sleepers.clear();
  }

  /** The event stream; after three short lives of it, a look every few seconds. */
  async #follow(signal) {
    for (let short = 0, down = 0, round = 0; !signal.aborted; round++) {
      // Hidden tabs only look: HTTP/1.1 has six connections to a host.
      if (!document.hidden && (short < 3 || round % 15 === 0)) {
        const began = Date.now();
        await this.#stream(signal).catch(() => {});
        short = Date.now() - began > 20_000 ? 0 : short + 1;
      }
      if (signal.aborted) return;
      const failed = await this.#catchUp().then(() => false, () => true);
      if (down && !failed) short = 0;
      down = failed ? down + 1 : 0;
      await this.#sleep(down ? backOff(down - 1) : document.hidden || (short > 2 && !this.#opened) ? 30_000 : short > 2 ? 4000 : 300);
    }
  }

  /** EventSource cannot send the token in a header. */
  async #stream(signal) {
    const abort = new AbortController();
    const stop = () => abort.abort();
    const over = { signal: abort.signal };
    signal.addEventListener("abort", stop, over);
    document.addEventListener("visibilitychange", () => document.hidden && stop(), over);
    let timer = setTimeout(stop, 10_000);
    try {
      const { ok, headers, body } = await this.#fetch("GET", `events?after=${this.#cursor}`, abort.signal);
      if (!ok || !/event-stream/.test(headers.get("Content-Type"))) return;
      this.#catchUp().catch(stop);
      const reader = body.pipeThrough(new TextDecoderStream()).getReader();
      for (let rest = ""; ; ) {
        clearTimeout(timer);
        timer = setTimeout(stop, SILENCE);
        const { value, done } = await reader.read();
        if (done) return;
        const parts = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
        rest = parts.pop();
        for (const part of parts) this.#event(part);
      }
    } finally {
      clearTimeout(timer);
      stop();
    }
  }

  #event(block) {
    const field = (name) => new RegExp(`^${name}: ?(.*)`, "m").exec(block)?.[1];
    const [name = "message", text] = [field("event"), field("data")];
    if (!text) return; // a heartbeat
    const data = JSON.parse(text);
    if (name === "typing") this.#typing(this.#words[data.from] ?? this.#name, 6000);
    if (name !== "message") return;
    this.#accept([clean(data)]);
    if (data.seq > this.#cursor) this.#cursor = data.seq;
    this.#channel.postMessage({ token: this.#token, messages: [data] });
  }

  // -- page and other tabs

  #tell(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(`sapa:${name}`, { detail, bubbles: true }));
  }

  #listen() {
    const { signal } = (this.#life = new AbortController());
    const on = (target, name, act) => target?.addEventListener(name, act, { signal });
    this.#channel = new BroadcastChannel(this.#key);
    on(this.#channel, "message", ({ data }) => {
      if (data.sync) this.#sync();
      if (data.erased && this.#token) this.#erased();
      if (!this.#token || data.token !== this.#token) return;
      this.#accept(array(data.messages).map(clean));
      if (data.look) this.#catchUp().catch(() => {});
    });
    on(window, "storage", ({ key }) => key === this.#key && this.#sync());
    const again = () => {
      this.#wake();
      if (this.#token) this.#use(this.#token);
    };
    on(window, "online", again);
    on(window, "offline", again); // a stream may not notice
    on(window, "resize", () => this.#show());
    on(window.visualViewport, "resize", () => this.#show());
    on(window, "pagehide", () => this.#live?.abort());
    on(window, "beforeunload", (event) => this.#outbox.length && event.preventDefault());
    on(window, "pageshow", ({ persisted }) => persisted && again());
    on(document, "visibilitychange", () => {
      if (document.hidden) return;
      this.#wake();
      this.#markRead();
    });
  }

  /** What is stored counts, on page load and when another tab changed it. */
  #sync() {
    const { token, read = 0 } = stored(this.#key);
    if (token && token !== this.#token) {
      if (this.#token) this.#leave();
      this.#read = read;
      this.#use(token);
    } else if (token) this.#read = Math.max(this.#read, read);
    this.#showUnread();
  }
}

if (!customElements.get("sapa-setneg")) {
  customElements.define("sapa-setneg", SapaSetneg);
  if (SCRIPT && !document.querySelector("sapa-setneg")) document.body.append(document.createElement("sapa-setneg"));
}
