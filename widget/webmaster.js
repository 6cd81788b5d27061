// The webmaster page: the form changes the live widget and the snippet; the integrity value is that of the file served now.
const form = document.querySelector("#atur");
const origin = location.origin;
const defaults = { name: "Sapa Setneg", color: "#14305c", position: "right", locale: "id" };
const attribute = (key) => `data-${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
const escaped = (text) => text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;");

function chosen() {
  const values = Object.fromEntries(new FormData(form));
  return Object.entries(values).filter(([key, value]) => value && value !== defaults[key]);
}

function snippet() {
  const options = chosen().map(([key, value]) => (value === "on" ? `\n  ${attribute(key)}` : `\n  ${attribute(key)}="${escaped(value)}"`));
  const name = escaped(form.elements.name.value || defaults.name);
  document.querySelector("#kode").textContent =
    `<script type="module" src="${origin}/static/widget.js"${options.join("")}></script>\n` +
    `<noscript><a href="${origin}/chat">Tanya ${name}</a></noscript>`;
}

function preview() {
  const widget = document.createElement("sapa-setneg");
  for (const [key, value] of chosen()) widget.dataset[key] = value;
  document.querySelector("sapa-setneg")?.remove();
  document.body.append(widget);
}

form.addEventListener("input", snippet);
form.addEventListener("change", preview);
form.addEventListener("submit", (event) => event.preventDefault());
snippet();

document.querySelector("#csp").textContent = document.querySelector("#csp").textContent.replaceAll("https://ALAMAT-SERVER", origin);
document.querySelector("#salin").addEventListener("click", async () => {
  const said = document.querySelector("#kabar");
  try {
    await navigator.clipboard.writeText(document.querySelector("#kode").textContent);
    said.textContent = "Kode disalin.";
  } catch {
    getSelection().selectAllChildren(document.querySelector("#kode"));
    said.textContent = "Kode dipilih. Tekan Ctrl+C untuk menyalin.";
  }
});

if (crypto.subtle) {
  const file = await (await fetch("/static/widget.js", { cache: "no-cache" })).arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-384", file));
  document.querySelector("#sri").textContent = `integrity="sha384-${btoa(String.fromCharCode(...digest))}" crossorigin="anonymous"`;
}
