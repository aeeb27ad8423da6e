// Keeps list and incident pages fresh, and gives the list its keys. Without it every page still works.
const page = document.body.dataset.page;
const live = document.getElementById("live");
const say = (text) => {
  if (live !== null) live.textContent = text;
};

// Replaces the content by what the server says now; an open note, a selection or an opened cause is left alone.
async function refresh() {
  const note = document.querySelector("textarea");
  if (document.hidden || (note !== null && note.value !== "") || document.querySelector("details[open]") !== null) {
    say("changed, reload to see");
    return;
  }
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok) return;
  const next = new DOMParser().parseFromString(await answer.text(), "text/html");
  const now = document.getElementById("main");
  const then = next.getElementById("main");
  if (now === null || then === null) return;
  now.replaceWith(then);
  document.title = next.title;
  say("live");
}

let waiting;
function refreshSoon() {
  clearTimeout(waiting);
  waiting = setTimeout(refresh, 400);
}

if (page === "list" || page === "incident") {
  const stream = new EventSource("/api/v1/stream");
  stream.addEventListener("open", () => say("live"));
  stream.addEventListener("error", () => say("not connected, trying again"));
  stream.addEventListener("reset", refreshSoon);
  stream.addEventListener("incident", (event) => {
    const { id } = JSON.parse(event.data);
    if (page === "list" || location.pathname.endsWith(id)) refreshSoon();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && live?.textContent.startsWith("changed")) refreshSoon();
  });
}

// j and k move through the list, Enter opens, / searches.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA)$/.test(event.target.tagName)) return;
  if (event.key === "/") {
    const search = document.querySelector("input[type=search]");
    if (search === null) return;
    event.preventDefault();
    search.focus();
    return;
  }
  if (event.key !== "j" && event.key !== "k") return;
  const links = [...document.querySelectorAll(".incidents a")];
  const at = links.indexOf(document.activeElement);
  links[Math.max(0, Math.min(links.length - 1, at + (event.key === "j" ? 1 : -1)))]?.focus();
});
