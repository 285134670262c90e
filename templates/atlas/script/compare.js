// What a release did to a layout: which members came, moved, grew, went.

// A change for each member by name, and `gone` for those that are no more.
function changesOf(before, now) {
  const changes = new Map();
  const gone = [];
  if (!before || !now) return { changes, gone };
  const members = (layout) => new Map(layout.parts.filter((p) => p.isMember).map((p) => [p.name, p]));
  const then = members(before);
  const there = members(now);
  for (const [name, part] of there) {
    const old = then.get(name);
    const change = old ? changeOf(old, part) : { kind: "came", text: "came" };
    if (change) changes.set(name, change);
  }
  for (const [name, part] of then) if (!there.has(name)) gone.push(part);
  return { changes, gone };
}

function changeOf(old, part) {
  const said = [];
  let kind = "";
  if (old.declaration !== part.declaration) {
    kind = "grew";
    said.push(`was ${old.declaration}`);
  }
  if (old.bitCount !== part.bitCount) {
    kind = "grew";
    const grew = part.bitCount > old.bitCount ? "grew" : "shrank";
    said.push(`${grew} from ${extent(old)} to ${extent(part)}`);
  }
  if (old.firstBit !== part.firstBit) {
    kind = kind || "moved";
    said.push(`moved from ${place(old)} to ${place(part)}`);
  }
  return kind ? { kind, text: said.join(", ") } : null;
}

const extent = (part) => (part.bits ? counted(part.bitCount, "bit") : counted(part.size, "byte"));
const place = (part) => (part.bits ? `${part.offset} bit ${part.bits[0]}` : `${part.offset}`);

// What became of a record and of those in it: "came", "changed", or "".
function stateOf(edition, before, key, abi, seen = new Set()) {
  const now = layoutOf(edition, key, abi);
  if (!before || !now) return "";
  const then = layoutOf(before, key, abi);
  if (!then) return "came";
  if (then === now && !now.parts.some((part) => part.record)) return "";
  const { changes, gone } = changesOf(then, now);
  if (changes.size || gone.length || then.size !== now.size) return "changed";
  const inner = now.parts.map((part) => part.record).filter((each) => each && !seen.has(each));
  for (const each of inner) {
    seen.add(each);
    if (stateOf(edition, before, each, abi, seen)) return "changed";
  }
  return "";
}
