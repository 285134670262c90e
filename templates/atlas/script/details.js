// What is known of one member: shown beside the picture for the one that is pointed at.

function memberAt(state, path) {
  if (!path || !state.layout) return null;
  for (const member of membersOf(state, state.key)) if (member.path === path) return member;
  return null;
}

function detailsOf(state, path) {
  const found = memberAt(state, path);
  if (!found) return recordDetails(state);
  const { part, base, change } = found;
  const offset = base + part.offset;
  const doc = part.doc || (part.record && layoutOf(state.edition, part.record, state.abi).doc);
  const facts = [
    ["offset", `${offset} (${hex(offset)})`],
    ["size", part.bits ? `${counted(part.bitCount, "bit")} in ${counted(part.size, "byte")}` : counted(part.size, "byte")],
  ];
  if (part.bits) facts.push(["bits", `${part.bits[0]} to ${part.bits[1]}`]);
  if (part.items !== 1) facts.push(["items", String(part.items)]);
  if (part.span) facts.push(["since", part.span]);
  if (change) facts.push(["change", change.text]);
  const numbers = state.bytes ? numbersOf(part, state.bytes, base) : [];
  if (state.bytes) {
    if (numbers.length) facts.push(["value", valueText(part, state.bytes, base)]);
    if (part.size) facts.push(["bytes", octetsText(state.bytes, offset, part.size)]);
  }
  const value = typeof numbers[0] === "bigint" ? numbers[0] : null;
  return [
    make("h2", {}, path),
    make("p", { className: "code" }, part.declaration.replace(" <anonymous>", "")),
    doc ? make("p", {}, doc) : "",
    factsOf(facts),
    part.record ? make("p", {}, "Enter opens it in place.") : "",
    part.group === null ? "" : constantsOf(groups[part.group], value),
    make("p", {}, make("a", { href: linkTo({ ...state, path }) }, "Link to this member")),
  ];
}

function recordDetails(state) {
  if (!state.layout) return [];
  const holes = state.layout.parts.filter((part) => part.form === "hole").length;
  const facts = [
    ["size", counted(state.layout.size, "byte")],
    ["alignment", String(state.layout.alignment)],
    ["members", String(state.layout.parts.filter((part) => part.isMember).length)],
    ["holes", holes ? String(holes) : "none"],
  ];
  return [make("h2", {}, state.name), factsOf(facts), make("p", {}, "Point at a member, or go to one with the arrow keys.")];
}

const factsOf = (facts) =>
  make("dl", {}, ...facts.flatMap(([term, said]) => [make("dt", {}, term), make("dd", {}, said)]));
