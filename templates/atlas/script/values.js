// What bytes say where a member is: numbers by their type, and the names of their values.

// The numbers of a part in bytes, `base` being where its record begins; BigInts, or Numbers for
// what is floating. Empty where the bytes end before, or for what is no number.
function numbersOf(part, bytes, base) {
  const start = base + part.offset;
  if (!part.number || !part.size || start + part.size > bytes.length) return [];
  if (part.bits) return [bitsOf(part, bytes, start)];
  const size = part.size / part.items;
  return Array.from({ length: part.items }, (_, item) =>
    numberAt(bytes, start + item * size, size, part.number));
}

function unsigned(bytes, start, size) {
  let value = 0n;
  for (let place = size - 1; place >= 0; place--) value = (value << 8n) | BigInt(bytes[start + place]);
  return value;
}

function numberAt(bytes, start, size, kind) {
  if (kind === "float" && (size === 4 || size === 8)) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + start, size);
    return size === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true);
  }
  const value = unsigned(bytes, start, size);
  return kind === "signed" ? BigInt.asIntN(8 * size, value) : value;
}

function bitsOf(part, bytes, start) {
  const value = BigInt.asUintN(part.bitCount, unsigned(bytes, start, part.size) >> BigInt(part.bits[0]));
  return part.number === "signed" ? BigInt.asIntN(part.bitCount, value) : value;
}

// What a group calls a value, without what all its names begin with; "" for what has no name.
function namesOf(group, value) {
  const prefix = group.spelling.endsWith("*") ? group.spelling.slice(0, -1) : "";
  const known = group.members
    .filter((constant) => typeof constant.value === "number" || /^-?\d+$/.test(constant.value))
    .map((constant) => [BigInt(constant.value), constant.name.replace(prefix, "")]);
  const whole = known.filter(([number]) => number === value).pop();
  if (whole) return whole[1];
  if (!group.isFlag) return "";
  const found = [];
  let rest = value;
  for (const [number, name] of known) {
    if (number && (value & number) === number) {
      found.push(name);
      rest &= ~number;
    }
  }
  if (found.length && rest) found.push(hex(rest));
  return found.join(" | ");
}

// A part's value in words: `0x8`, `10 CPUID`, the first items of an array.
function valueText(part, bytes, base) {
  const numbers = numbersOf(part, bytes, base);
  if (!numbers.length) return "";
  if (numbers.length > 1) return arrayText(part, numbers);
  const [value] = numbers;
  if (typeof value === "number") return String(value);
  const isWide = part.size === 8 && !part.bits;
  const shown = part.number === "pointer" || isWide ? hex(value) : String(value);
  const name = part.group === null ? "" : namesOf(groups[part.group], value);
  return name ? `${shown} ${name}` : shown;
}

const MOST_ITEMS = 8;

function arrayText(part, numbers) {
  if (numbers.every((number) => !number)) return "all 0";
  const shown = numbers.slice(0, MOST_ITEMS).map((number) => (typeof number === "number" ? number : hex(number)));
  return shown.join(" ") + (numbers.length > MOST_ITEMS ? " …" : "");
}

// The bytes themselves, as they lie.
function octetsText(bytes, start, size) {
  const shown = Array.from(bytes.slice(start, start + Math.min(size, 64)), (octet) =>
    octet.toString(16).padStart(2, "0"));
  return shown.join(" ") + (size > 64 ? " …" : "");
}
