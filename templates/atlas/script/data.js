// The page's data, unpacked when it is looked at.
//
// Entries of tables are arrays, for the sake of size; `columns` names what is in them.

const atlas = JSON.parse(document.getElementById("data").textContent);

const unpacked = (columns, entry) =>
  Object.fromEntries(columns.map((name, place) => [name, entry[place] ?? null]));

const laidOut = new Map();

// A layout by its index: its parts know the bits that they take, from the start of the record.
function layoutAt(index) {
  if (!laidOut.has(index)) {
    const layout = unpacked(atlas.columns.layout, atlas.layouts[index]);
    layout.doc = atlas.words[layout.doc];
    layout.parts = layout.parts.map((entry) => {
      const part = unpacked(atlas.columns.part, entry);
      const low = part.bits ? part.bits[0] : 0;
      const high = part.bits ? part.bits[1] + 1 : 8 * part.size;
      for (const word of ["declaration", "doc", "span"]) part[word] = atlas.words[part[word]] ?? "";
      part.firstBit = 8 * part.offset + low;
      part.bitCount = high - low;
      part.items = (part.lengths ?? []).reduce((all, length) => all * length, 1);
      part.isMember = part.name !== "";
      return part;
    });
    laidOut.set(index, layout);
  }
  return laidOut.get(index);
}

// What an edition has under a key on a target; null where it has nothing.
function layoutOf(edition, key, abi) {
  const index = edition.records[key]?.[atlas.abis.indexOf(abi)];
  return index === null || index === undefined ? null : layoutAt(index);
}

const groups = atlas.groups.map(([spelling, isFlag, doc, members]) => ({
  spelling,
  isFlag,
  doc: atlas.words[doc],
  members: members.map((entry) => {
    const constant = unpacked(atlas.columns.constant, entry);
    return { ...constant, doc: atlas.words[constant.doc], span: atlas.words[constant.span] };
  }),
}));

// A record's name without `struct` or `union`: what links have. Of one that a typedef of an
// untagged one is called as, it is `struct:pair`.
function nameOf(edition, key) {
  const name = key.slice(key.lastIndexOf(" ") + 1);
  const isTaken = key !== name && Object.hasOwn(edition.records, name.split(".")[0]);
  return isTaken ? key.replace(" ", ":") : name;
}

const keyOf = (edition, name) =>
  Object.keys(edition.records).find((key) => nameOf(edition, key) === name) ??
  (Object.hasOwn(edition.typedefs, name) ? edition.typedefs[name] : null);

// The constants of no group are told as one.
const titleOfGroup = (group) => (group.spelling === "*" ? "other constants" : group.spelling);

const groupOf = (edition, name) =>
  edition.groups.map((index) => groups[index]).find((group) => group.spelling === name) ?? null;

const hex = (number) => `0x${number.toString(16)}`;
const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;

// Makes an element: `make("p", { className: "doc" }, "text", other)`.
function make(tag, properties, ...content) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (name.includes("-")) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...content.filter((each) => each !== null && each !== ""));
  return element;
}
