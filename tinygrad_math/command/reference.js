// Search: what has all the words of the query stays; "/" goes to the field, Escape empties it.
const field = document.getElementById("search");
const found = document.getElementById("found");
const cards = [...document.querySelectorAll(".op")];
const links = new Map([...document.querySelectorAll("nav.index a")].map((a) => [a.hash.slice(1), a]));
const families = [...document.querySelectorAll("section.family")];
const words = new Map(cards.map((card) => [card, (card.dataset.words || "").toLowerCase()]));

function search() {
  const asked = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const card of cards) {
    const shown = asked.every((word) => words.get(card).includes(word));
    count += shown;
    card.classList.toggle("none", !shown);
    const link = links.get(card.id);
    if (link) link.classList.toggle("none", !shown);
  }
  for (const family of families) {
    family.classList.toggle("none", !family.querySelector(".op:not(.none)"));
  }
  found.textContent = asked.length ? `${count} of ${cards.length}` : `${cards.length} ops`;
}

field.addEventListener("input", search);
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== field) {
    event.preventDefault();
    field.focus();
  } else if (event.key === "Escape" && document.activeElement === field) {
    field.value = "";
    search();
  }
});
window.addEventListener("hashchange", () => {
  const card = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (card && card.classList.contains("none")) {
    field.value = "";
    search();
    card.scrollIntoView();
  }
});
search();
