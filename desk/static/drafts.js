// What is being written outlasts a session that ends: it is kept in this window, for this person, until it got through.
const { login } = document.body.dataset;
const kept = () => ({ login, texts: {}, ...JSON.parse(sessionStorage.getItem("written")) });
const keep = (written) => sessionStorage.setItem("written", JSON.stringify(written));
const nameOf = (field) => `${field.form.getAttribute("action")} ${field.name}`;
const store = (fields, sent = null) => {
  const { texts } = kept();
  for (const field of fields) texts[nameOf(field)] = { text: field.value, before: field.defaultValue };
  keep({ login, texts, sent });
};

const written = kept();
if (!login) keep({ ...written, sent: null });
else if (written.login !== login) sessionStorage.removeItem("written");
else {
  // A form that got through leads on to a page; one that was refused, or never arrived, does not.
  const gotThrough = performance.getEntriesByType("navigation")[0].redirectCount > 0;
  const texts = Object.entries(written.texts).filter(([name]) => !gotThrough || name.split(" ")[0] !== written.sent);
  keep({ login, texts: Object.fromEntries(texts), sent: null });
}

if (login) {
  for (const field of document.querySelectorAll("[data-kept]")) {
    const { text, before } = kept().texts[nameOf(field)] ?? {};
    // What somebody else has saved meanwhile is not written over.
    if (!text || field.value !== field.defaultValue || !["", before].includes(field.defaultValue)) continue;
    field.value = text;
    field.closest("details")?.setAttribute("open", "");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  document.addEventListener("input", ({ target }) => target.matches("[data-kept]") && store([target]));
  document.addEventListener("submit", ({ target }) => {
    const action = target.getAttribute("action");
    if (action === "/desk/sign-out") sessionStorage.removeItem("written");
    else store(target.querySelectorAll("[data-kept]"), action);
  });
}
