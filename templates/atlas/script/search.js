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
    const [outer, ...inner] = nameOf(edition, key).split(".");
    const layout = layoutOf(edition, key, abi);
    const isOwn = own.has(key) || (inner.length && edition.own.some((each) => nameOf(edition, each) === outer));
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

// The members at a path that goes through records of other names: `u.mem_access.gfn`, also behind
// the name of the record that it begins in.
function* along(wanted, edition, abi) {
  const steps = wanted.split(".");
  for (const key of edition.own) {
    const name = nameOf(edition, key);
    const inside = name.toLowerCase() === steps[0] ? steps.slice(1) : steps;
    for (const { path, doc } of inside.length > 1 ? membersAt(edition, key, abi, inside) : []) {
      yield { text: `${name}.${path}`, doc, link: { edition, name, path, abi } };
    }
  }
}

function* membersAt(edition, key, abi, [step, ...further]) {
  for (const part of layoutOf(edition, key, abi)?.parts ?? []) {
    const name = part.name.toLowerCase();
    if (!part.isMember || !(further.length ? name === step : name.startsWith(step))) continue;
    if (!further.length) yield { path: part.name, doc: part.doc };
    else if (part.record && !part.lengths.length) {
      for (const found of membersAt(edition, part.record, abi, further)) {
        yield { ...found, path: `${part.name}.${found.path}` };
      }
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
  if (words.length === 1 && words[0].includes(".")) {
    ranked[0].push(...editions.flatMap((edition) => [...along(words[0], edition, abi)]));
  }
  const found = new Map(ranked.flat().map((entry) => [`${linkTo(entry.link)} ${entry.text}`, entry]));
  return [...found.values()].slice(0, MOST_FOUND);
}

function foundList(entries) {
  if (!entries.length) return [make("li", {}, "nothing is called so")];
  return entries.map(({ text, doc, link }) => {
    const where = atlas.chapters.length > 1 ? `${link.edition.link}: ` : "";
    return make("li", {}, make("a", { href: linkTo(link) }, make("b", {}, where + text), make("span", {}, doc)));
  });
}
