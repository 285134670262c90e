// Draws a struct to scale, as rows of bytes, and a union as layers over the same bytes.
//
// A member is a button where it begins, and a mere box in the rows that it goes on in. One that
// is a struct can be opened: it is then a block of its own, drawn in place, at the same scale.

const FOLDED = 4; // rows that one member may take before those in the middle are left out
const MOST_OPEN = 8; // items of an array that are drawn when it is opened
const STRIP = 32; // bits a row where bit-fields are drawn larger

// What all parts of a picture need to know: see `state` in main.js; `before` is what the layout
// of a key was in the release before.
const isOpen = (state, path) => state.open.has(path);

// Draws the record of a key that begins `base` bytes into the one that is looked at.
function pictureOf(state, key, base = 0, path = "") {
  const layout = layoutOf(state.edition, key, state.abi);
  const { changes, gone } = changesOf(state.before && layoutOf(state.before, key, state.abi), layout);
  const block = make("div", { className: layout.kind });
  const place = { state, layout, key, base, path, changes };
  if (layout.kind === "union") block.append(...layersOf(place));
  else block.append(...gridsOf(place));
  if (gone.length) {
    const names = gone.map((part) => part.declaration).join(", ");
    block.append(make("p", { className: "gone" }, `Gone since ${state.before.name}: ${names}`));
  }
  return block;
}

const pathOf = (place, part) => (place.path ? `${place.path}.${part.name}` : part.name);

// A struct: rows of boxes, and between them the members that are open.
function gridsOf(place) {
  const { layout, state } = place;
  const drawn = [];
  let together = [];
  const flush = () => {
    if (together.length) drawn.push(gridOf(place, together));
    together = [];
  };
  for (const part of layout.parts) {
    together.push(part);
    if (part.isMember && part.record && isOpen(state, pathOf(place, part))) {
      flush();
      drawn.push(opened(place, part));
    }
  }
  flush();
  return drawn;
}

function gridOf(place, parts) {
  const rowBits = 8 * place.state.width;
  const rows = new Map(); // by number: lanes of boxes that do not overlap
  const lay = (number, box, start, end) => {
    const lanes = rows.get(number) ?? rows.set(number, []).get(number);
    const free = lanes.find((lane) => lane.every((each) => each.end <= start || end <= each.start));
    const lane = free ?? lanes[lanes.push([]) - 1];
    lane.push({ box, start, end });
  };
  for (const part of parts) {
    const from = 8 * place.base + part.firstBit;
    const to = from + part.bitCount;
    const first = Math.floor(from / rowBits);
    // What is open has its bytes below: here is but its head.
    const isHead = part.isMember && part.record && isOpen(place.state, pathOf(place, part));
    const last = isHead ? first : Math.floor((Math.max(to, from + 1) - 1) / rowBits);
    const isLong = last - first >= FOLDED;
    for (let row = first; row <= last; row += 1) {
      const start = Math.max(from, row * rowBits) - row * rowBits;
      const end = to > from ? Math.min(to, (row + 1) * rowBits) - row * rowBits : rowBits;
      const box = boxOf(place, part, row === first);
      if (row < last) box.classList.add("goes-on");
      lay(row, box, start, end);
      if (isLong && row === first) {
        lay(row + 1, folded(place, part, last - first - 1), 0, rowBits);
        row = last - 1;
      }
    }
  }
  const grid = make("div", { className: "grid" });
  for (const [number, lanes] of [...rows].sort(([one], [other]) => one - other)) {
    for (const [index, lane] of lanes.entries()) {
      grid.append(rowOf(lane, rowBits, index ? "" : (number * rowBits) / 8));
    }
  }
  for (const unit of unitsOf(parts)) grid.append(...stripsOf(place, unit));
  return grid;
}

function rowOf(lane, bits, at) {
  const boxes = make("div", { className: "boxes" });
  boxes.style.setProperty("--columns", bits);
  for (const { box, start, end } of lane.sort((one, other) => one.start - other.start)) {
    box.style.gridColumn = `${start + 1} / ${end + 1}`;
    boxes.append(box);
  }
  const offset = make("span", { className: "at" }, at === "" ? "" : String(at));
  return make("div", { className: "row" }, offset, boxes);
}

// A box of a part; `isFirst` is where it begins, and has its words.
function boxOf(place, part, isFirst) {
  if (!part.isMember) return make("span", { className: `box ${part.form}` }, isFirst ? part.form : "");
  const { state, changes } = place;
  const path = pathOf(place, part);
  const change = changes.get(part.name);
  const classes = ["box", part.form];
  if (change) classes.push(change.kind);
  if (!isFirst) classes.push("further");
  if (state.path === path) classes.push("chosen");
  const box = make(isFirst ? "button" : "span", { className: classes.join(" "), "data-path": path });
  if (!isFirst) return box;
  box.type = "button";
  box.tabIndex = -1;
  if (part.record) box.setAttribute("aria-expanded", String(isOpen(state, path)));
  box.setAttribute("aria-label", spoken(place, part, change));
  const value = state.bytes ? valueText(part, state.bytes, place.base) : "";
  box.append(make("b", {}, part.name), make("i", {}, value || typeOf(part)));
  if (value) box.classList.add("said");
  return box;
}

function folded(place, part, rows) {
  const bytes = rows * place.state.width;
  const classes = `box further goes-on folded ${part.form}`;
  return make("span", { className: classes, "data-path": pathOf(place, part) }, `⋮ ${counted(bytes, "byte")}`);
}

// A declaration without the name: what stands before it, and the lengths behind.
function typeOf(part) {
  const name = new RegExp(`\\b${part.name}\\b(?!.*\\b${part.name}\\b)`);
  return part.declaration.replace(name, "").replace(" <anonymous>", "").replace(/ (?=\[|$)/g, "");
}

function spoken(place, part, change) {
  const offset = place.base + part.offset;
  const bits = part.bits ? `, bits ${part.bits[0]} to ${part.bits[1]}` : "";
  const changed = change ? `, ${change.text}` : "";
  return `${part.name}: ${typeOf(part)}, offset ${offset}, ${counted(part.size, "byte")}${bits}${changed}`;
}

// The storage units that have bit-fields, each with the parts in it.
function unitsOf(parts) {
  const units = new Map();
  for (const part of parts.filter((each) => each.bits)) {
    const name = `${part.offset} ${part.size}`;
    units.set(name, [...(units.get(name) ?? []), part]);
  }
  return [...units.values()].filter((unit) => unit.some((part) => part.isMember));
}

// A unit's bits larger, as rows of their own, numbered from its lowest bit.
function stripsOf(place, unit) {
  const [{ offset, size }] = unit;
  const rows = [];
  const wide = Math.min(STRIP, 8 * size);
  for (let low = 0; low < 8 * size; low += wide) {
    const lane = unit
      .filter((part) => part.bits[0] < low + wide && part.bits[1] >= low)
      .map((part) => {
        const start = Math.max(part.bits[0], low) - low;
        const end = Math.min(part.bits[1] + 1, low + wide) - low;
        const box = make("span", { className: `box ${part.form}`, title: part.name }, part.name);
        if (part.isMember) box.dataset.path = pathOf(place, part);
        const bits = end - start > 1 ? `${start + low}–${end + low - 1}` : `${start + low}`;
        box.prepend(make("i", {}, bits), " ");
        return { box, start, end };
      });
    if (!lane.length) continue;
    const row = rowOf(lane, wide, "");
    row.classList.add("strip");
    row.setAttribute("aria-hidden", "true"); // the boxes above say the same
    row.firstChild.append(`bits of ${place.base + offset}`);
    rows.push(row);
  }
  return rows;
}

// A union: a bar for each member over the same bytes, and below it what is open.
function layersOf(place) {
  const { layout, state, base } = place;
  const selected = selectedIn(state, place);
  return layout.parts.filter((part) => part.isMember || layout.parts.length === 1).map((part) => {
    const box = boxOf(place, part, true);
    const bar = make("div", { className: "bar" }, box);
    box.style.width = `${layout.size ? (100 * part.size) / layout.size : 100}%`;
    const layer = make("div", { className: "layer" }, make("span", { className: "at" }, String(base + part.offset)), bar);
    if (selected !== null) layer.classList.add(selected === part.name ? "selected" : "unselected");
    if (part.isMember && part.record && isOpen(state, pathOf(place, part))) layer.append(opened(place, part));
    return layer;
  });
}

// Which member of a union the bytes select by its tag: null if that cannot be said, "" for none.
function selectedIn(state, place) {
  if (!state.bytes) return null;
  for (const payload of state.edition.payloads) {
    const outer = layoutOf(state.edition, payload.record, state.abi);
    const part = outer?.parts.find((each) => each.name === payload.union);
    if (!part || part.record !== place.key) continue;
    const tag = outer.parts.find((each) => each.name === payload.tag);
    const [value] = numbersOf(tag, state.bytes, place.base - part.offset);
    if (value !== undefined) return payload.members[String(value)] ?? "";
  }
  return null;
}

// What is inside a member, in place; of an array each item, if these are few.
function opened(place, part) {
  const { state } = place;
  const path = pathOf(place, part);
  const block = make("div", { className: "opened", role: "group", "aria-label": path });
  const step = part.size / part.items;
  const isArray = part.lengths.length > 0;
  for (let item = 0; item < Math.min(part.items, MOST_OPEN); item += 1) {
    const start = place.base + part.offset + item * step;
    const name = isArray ? `${path}[${item}]` : path;
    block.append(make("p", { className: "opening" }, make("b", {}, name), ` from byte ${start}, ${counted(step, "byte")}`));
    block.append(pictureOf(state, part.record, start, name));
  }
  if (part.items > MOST_OPEN) block.append(make("p", { className: "more" }, moreOf(part)));
  return block;
}

// The numbers over the columns.
function rulerOf(state) {
  const marks = Array.from({ length: state.width }, (_, byte) => make("span", {}, `+${byte}`));
  const boxes = make("div", { className: "boxes ruler" }, ...marks);
  boxes.style.setProperty("--columns", state.width);
  return make("div", { className: "row", "aria-hidden": "true" }, make("span", { className: "at" }, "byte"), boxes);
}
