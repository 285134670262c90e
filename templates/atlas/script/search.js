// Finds structs, members and constants by name, and by the words that are said of them.

const MOST_FOUND = 40;

// What can be found in an edition: made when somebody searches there.
const indices = new Map();

function indexOf(edition, abi) {
  const name = `${edition.link} ${abi}`;
  if (!indices.has(name)) indices.set(name, [...entriesOf(edition, abi)]);
  return indices.get(name);
}

function* entriesOf(edition, abi) {
  const own = new Set(edition.own);
  for (const key of Object.keys(edition.records)) {
    const [outer, ...inner] = nameOf(key).split(".");
    const layout = layoutOf(edition, key, abi);
    const isOwn = own.has(key) || (inner.length && edition.own.some((each) => nameOf(each) === outer));
    if (!layout || !isOwn) continue;
    if (!inner.length) yield { text: outer, doc: layout.doc, link: { edition, name: outer, abi } };
    for (const part of layout.parts.filter((each) => each.isMember)) {
      const path = [...inner, part.name].join(".");
      yield { text: `${outer}.${path}`, doc: part.doc, link: { edition, name: outer, path, abi } };
    }
  }
  for (const index of edition.groups) {
    const group = groups[index];
    for (const { name, doc } of group.members) {
      yield { text: name, doc, link: { edition, name: group.spelling, abi } };
    }
  }
}

// The best entries for what somebody types: names that begin so first, then those that have it,
// then words.
function find(wanted, editions, abi) {
  const words = wanted.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const ranked = [[], [], []];
  for (const entry of editions.flatMap((edition) => indexOf(edition, abi))) {
    const text = entry.text.toLowerCase();
    const last = text.slice(text.lastIndexOf(".") + 1);
    if (last.startsWith(words[0]) && words.every((each) => text.includes(each))) ranked[0].push(entry);
    else if (words.every((each) => text.includes(each))) ranked[1].push(entry);
    else if (words.every((each) => `${text} ${entry.doc.toLowerCase()}`.includes(each))) ranked[2].push(entry);
  }
  return ranked.flat().slice(0, MOST_FOUND);
}

function foundList(entries) {
  if (!entries.length) return [make("li", {}, "nothing is called so")];
  return entries.map(({ text, doc, link }) => {
    const where = atlas.chapters.length > 1 ? `${link.edition.link}: ` : "";
    return make("li", {}, make("a", { href: linkTo(link) }, make("b", {}, where + text), make("span", {}, doc)));
  });
}
