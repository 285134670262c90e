// The same in words: a row for each member, those of open structs behind theirs.

// Walks over all members that are in sight: their part, where their record begins, their path;
// and whether the bytes select another member of a union around them, so that they say nothing.
function* membersOf(state, key, base = 0, path = "", isUnselected = false) {
  const layout = layoutOf(state.edition, key, state.abi);
  const { changes } = changesOf(state.before && layoutOf(state.before, key, state.abi), layout);
  const place = { state, layout, key, base, path };
  const selected = layout.kind === "union" ? selectedIn(state, place) : null;
  for (const part of layout.parts) {
    const own = part.isMember ? pathOf(place, part) : "";
    const isIdle = isUnselected || (selected !== null && selected !== part.name);
    yield { part, base, path: own, key, change: changes.get(part.name), isIdle };
    if (!part.isMember || !part.record || !isOpen(state, own)) continue;
    const isArray = part.lengths.length > 0;
    for (let item = 0; item < Math.min(part.items, MOST_OPEN); item += 1) {
      const start = base + part.offset + (item * part.size) / part.items;
      yield* membersOf(state, part.record, start, isArray ? `${own}[${item}]` : own, isIdle);
    }
    if (part.items > MOST_OPEN) {
      const start = part.offset + (MOST_OPEN * part.size) / part.items;
      const rest = { ...REST, offset: start, size: part.offset + part.size - start };
      yield { part: { ...rest, form: moreOf(part) }, base, path: `${own}[${MOST_OPEN}]`, key, isIdle };
    }
  }
}

// What stands for the items of an array that are not drawn.
const REST = { isMember: false, bits: null, bitCount: 0, span: "" };
const moreOf = (part) => `and ${counted(part.items - MOST_OPEN, "item")} more, alike`;

function tableOf(state) {
  const members = [...membersOf(state, state.key)];
  const isChanged = members.some(({ change }) => change);
  const isTold = state.bytes || members.some(({ part }) => part.span);
  const heads = ["offset", "size", "member", "type"];
  if (isTold) heads.push(state.bytes ? "value" : "since");
  if (isChanged) heads.push(`since ${state.before.name}`);
  const rows = [];
  for (const { part, base, path, change, isIdle } of members) {
    const offset = base + part.offset;
    const bits = part.bits ? `.${part.bits[0]}` : "";
    const size = part.bits ? counted(part.bitCount, "bit") : String(part.size);
    const depth = path.split(".").length - 1;
    const name = part.isMember
      ? memberLink(state, path)
      : make("em", {}, part.form);
    const cells = [
      make("td", { className: "number" }, `${offset}${bits}`),
      make("td", { className: "number" }, size),
      make("td", { className: `depth${Math.min(depth, 4)}` }, name),
      make("td", { className: "code type" }, part.isMember ? typeOf(part) : ""),
    ];
    if (isTold) cells.push(state.bytes ? valueCell(state, part, base, isIdle) : make("td", {}, part.span));
    if (isChanged) cells.push(make("td", {}, change?.text ?? ""));
    const row = make("tr", { className: isIdle ? "idle" : (change?.kind ?? "") }, ...cells);
    if (part.isMember) row.dataset.path = path;
    rows.push(row);
  }
  return make(
    "table",
    {},
    make("caption", {}, "Members"),
    make("thead", {}, make("tr", {}, ...heads.map(columnHead))),
    make("tbody", {}, ...rows),
  );
}

function memberLink(state, path) {
  const own = path.lastIndexOf(".") + 1;
  const outer = make("span", { className: "outer" }, path.slice(0, own));
  return make("a", { href: linkTo({ ...state, path }), "aria-label": path }, outer, path.slice(own));
}

const columnHead = (head) =>
  make("th", { scope: "col", className: ["offset", "size", "type"].includes(head) ? head : "" }, head);

function valueCell(state, part, base, isIdle) {
  const cell = make("td", { className: "code value" });
  if (!part.isMember || isIdle) return cell;
  const numbers = numbersOf(part, state.bytes, base);
  cell.dataset.numbers = numbers.join(" ");
  cell.append(valueText(part, state.bytes, base));
  return cell;
}

// A group of constants.
function constantsOf(group, value = null) {
  const isOn = (number) => {
    if (value === null || typeof number !== "number") return false;
    const bits = BigInt(number);
    return group.isFlag ? bits !== 0n && (value & bits) === bits : bits === value;
  };
  const rows = group.members.map((constant) =>
    make(
      "tr",
      { className: isOn(constant.value) ? "on" : "" },
      make("td", { className: "number" }, shownConstant(group, constant.value)),
      make("td", { className: "code" }, constant.name),
      make("td", {}, constant.doc),
      make("td", {}, constant.span),
    ));
  const heads = ["value", "name", "", "since"].map((head) =>
    head ? make("th", { scope: "col" }, head) : make("td", {}));
  const caption = make("caption", {}, group.isFlag ? `${group.spelling}, bits` : titleOfGroup(group));
  return make("table", { className: "constants" }, caption, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows));
}

const shownConstant = (group, value) => (group.isFlag && typeof value === "number" ? hex(value) : String(value));
