// Bytes that somebody drops or pastes, taken apart into samples: one struct's bytes each.
//
// The forms are those that `xenbind decode` reads, by the same rules: a recording, lines of JSON,
// requests on end, a ring's page; and bytes in hexadecimal, plain or as dumps have them.

const PAGE = 4096;
const ENTRIES = 64; // where the entries of a ring's page begin
const MAGIC = [0x89, 0x58, 0x45, 0x4e, 0x52, 0x45, 0x43, 0x0a]; // \x89XENREC\n
const RECORD_HEAD = 24; // size, kind, waiting, number, time
const [REQUEST, FLAGS, ANSWER, OTHER] = [1, 2, 3, 4];
const MOST_IN_RECORD = 1 << 20; // bytes: what claims to have more is damaged
const MOST_SAMPLES = 5000;
const MOST_REPEATED = 1 << 24; // digits that a `*` may stand for

const word = (bytes, at) => new DataView(bytes.buffer, bytes.byteOffset + at, 4).getUint32(0, true);

// The edition of the first chapter whose requests begin with a version, the newest of several;
// the one of a release, if that is known.
function editionOfVersion(version, release = null) {
  const { editions } = atlas.chapters[0];
  const speaking = editions.filter((each) => each.version === version && each.rings.length);
  const series = (release ?? "").split(".").slice(0, 2).join(".");
  return speaking.find((each) => each.releases.includes(series)) ?? speaking.at(-1) ?? null;
}

// How an edition's requests lie: their record, and how long they and their entries are. Rings
// of monitors are x86_64's or arm64's, where they are alike.
function requestOf(edition) {
  const [ring] = edition.rings;
  const size = (key) => layoutOf(edition, key, "x86_64").size;
  return { record: ring.request, size: size(ring.request), entry: size(ring.entry), shared: ring.shared };
}

function kindAt(bytes, at) {
  if (at + 4 > bytes.length) return null;
  const edition = editionOfVersion(word(bytes, at));
  return edition && { edition, ...requestOf(edition) };
}

// The samples in bytes; `shown` says which struct is looked at, for bytes of no known form.
// Throws an Error that says what is wrong.
function samplesOf(bytes, shown) {
  if (MAGIC.every((octet, place) => bytes[place] === octet)) return recorded(bytes);
  const start = bytes.subarray(0, ENTRIES);
  const text = start.includes(0) ? null : textOf(bytes);
  if (text !== null && text.trimStart().startsWith("{")) return fromLines(text);
  if (text !== null) {
    const octets = octetsOf(text);
    if (octets) return samplesOf(octets, shown);
  }
  const first = kindAt(bytes, 0);
  if (first && (bytes.length === first.size || kindAt(bytes, first.size))) return onEnd(bytes);
  if (bytes.length === PAGE && atlas.chapters[0].editions.some((each) => each.rings.length)) {
    return onPage(bytes);
  }
  return ofShown(bytes, shown);
}

function textOf(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

// Bytes written in hexadecimal; null for a text that is none. A `*` in a dump stands for rows like
// the one before it, up to the offset of the next line.
function octetsOf(text) {
  let [digits, row, first, base, isRepeated] = ["", "", null, 16, false];
  for (const line of text.split("\n").map((each) => each.trim())) {
    if (line === "*" && row) {
      isRepeated = true;
      continue;
    }
    const { place, bytes, isOctal } = takenApart(line, first !== null);
    if (isOctal) base = 8;
    const offset = place === null ? null : parseInt(place, base);
    first ??= offset;
    if (isRepeated) {
      const missing = 2 * (offset - first) - digits.length;
      if (offset === null || missing < 0 || missing > MOST_REPEATED || missing % row.length) return null;
      digits += row.repeat(missing / row.length);
      isRepeated = false;
    }
    row = bytes;
    digits += bytes;
  }
  if (isRepeated || !digits || digits.length % 2 || /[^0-9a-f]/i.test(digits)) return null;
  return Uint8Array.from(digits.match(/../g), (pair) => parseInt(pair, 16));
}

// A line's digits without what stands before the bytes and behind them, and the digits of its place,
// null without one: `00000010: 0700 …  ....` as xxd has it, `00000010  07 00 …  |....|` as hexdump
// does, `0000020 07 00 …` as od does, in octal; the last line of the latter two is a place alone.
// Any other line is as it is.
function takenApart(line, isDump) {
  const [, octal, pairs] = /^(0[0-7]{6,})((?: [0-9a-f]{2})+)(?: +>.*)?$/i.exec(line) ?? [];
  if (octal) return { place: octal, bytes: pairs.replaceAll(" ", ""), isOctal: true };
  const [, offset, sign, rest] = /^([0-9a-f]{6,16})(:|  |$)(.*)$/i.exec(line) ?? [];
  const isFramed = sign || (sign === "" && isDump);
  const framed = sign === ":" ? rest.trim().split("  ")[0] : rest?.split("|")[0];
  const bytes = (isFramed ? framed : line).replace(/0x|[\s,:]/gi, "");
  return { place: isFramed ? offset : null, bytes, isOctal: false };
}

function sample(label, bytes, edition, record, answer = null) {
  return { label, bytes, edition, record, answer };
}

function labelled(number, bytes, kind) {
  return sample(`#${number}`, bytes, kind.edition, kind.record);
}

function fromLines(text) {
  const lines = text.split("\n").filter((line) => line.trim());
  return lines.slice(0, MOST_SAMPLES).map((line, number) => {
    let said = null;
    try {
      said = JSON.parse(line);
    } catch {
      throw new Error(`line ${number + 1} is no JSON`);
    }
    const bytes = typeof said.request === "string" ? octetsOf(said.request) : null;
    const kind = bytes && kindAt(bytes, 0);
    if (!kind || bytes.length !== kind.size) {
      throw new Error(`line ${number + 1} has no whole request of a known version`);
    }
    return labelled(number, bytes, kind);
  });
}

function onEnd(bytes) {
  const found = [];
  let at = 0;
  for (let kind; at < bytes.length && found.length < MOST_SAMPLES; at += kind.size) {
    kind = kindAt(bytes, at);
    if (!kind) throw new Error(`no request begins at byte ${at}`);
    if (at + kind.size > bytes.length) throw new Error(`the bytes end within a request, at ${at}`);
    found.push(labelled(found.length, bytes.slice(at, at + kind.size), kind));
  }
  return found;
}

// The requests of a ring's page that wait, and then the page itself.
function onPage(bytes) {
  const kind = kindAt(bytes, ENTRIES);
  if (!kind) throw new Error("the page's first entry is of no known version");
  const [produced, answered] = [word(bytes, 0), word(bytes, 8)];
  const places = 2 ** Math.floor(Math.log2((PAGE - ENTRIES) / kind.entry));
  const waiting = (produced - answered) >>> 0;
  if (waiting > places) throw new Error(`${waiting} requests wait, and the ring has ${places} entries`);
  const found = Array.from({ length: waiting }, (_, number) => {
    const index = (answered + number) >>> 0;
    const start = ENTRIES + (index % places) * kind.entry;
    return labelled(index, bytes.slice(start, start + kind.size), kind);
  });
  return [...found, sample("the page", bytes, kind.edition, kind.shared)];
}

// A recording: sessions, each a head of JSON and records behind it.
function recorded(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = [];
  let asked = new Map();
  let release = null;
  let at = 0;
  while (at + 16 <= bytes.length && found.length < MOST_SAMPLES) {
    if (MAGIC.every((octet, place) => bytes[at + place] === octet)) {
      const length = view.getUint32(at + 12, true);
      if (at + 16 + length > bytes.length) break; // cut short
      release = headIn(bytes, at, length).release ?? null;
      asked = new Map();
      at += 16 + length;
      continue;
    }
    const size = view.getUint32(at, true);
    if (size < RECORD_HEAD || size > RECORD_HEAD + MOST_IN_RECORD) throw damaged(at);
    if (at + size > bytes.length) break; // cut short, as a killed monitor leaves it
    const kind = view.getUint16(at + 4, true);
    const number = view.getBigUint64(at + 8, true);
    const body = bytes.slice(at + RECORD_HEAD, at + size);
    if ([REQUEST, FLAGS, ANSWER, OTHER].includes(kind) && body.length < 4) throw damaged(at);
    if (kind === REQUEST || kind === OTHER) {
      const edition = editionOfVersion(word(body, 0), release);
      if (edition) {
        const one = sample(`#${number}`, body, edition, requestOf(edition).record);
        asked.set(number, one);
        found.push(one);
      }
    } else if (asked.has(number)) {
      asked.get(number).answer = answered(asked.get(number), kind, body);
    }
    at += size;
  }
  const withAnswers = found.flatMap((one) => (one.answer ? [one, one.answer] : [one]));
  if (!found.length) throw new Error("the recording has no request of a known version");
  return withAnswers;
}

const damaged = (at) => new Error(`the recording is damaged at byte ${at}`);

// What a session's head says, that is at a byte and has a text so long.
function headIn(bytes, at, length) {
  try {
    const head = JSON.parse(textOf(bytes.subarray(at + 16, at + 16 + length)));
    if (head !== null && typeof head === "object") return head;
  } catch {
    // told as what says nothing
  }
  throw damaged(at);
}

// An answer's bytes: all of them, or the request's with other flags.
function answered(request, kind, body) {
  const bytes = kind === ANSWER ? body : request.bytes.slice();
  if (kind === FLAGS) {
    const part = layoutOf(request.edition, request.record, "x86_64").parts.find((each) => each.name === "flags");
    bytes.set(body.subarray(0, 4), part.offset);
  }
  return sample(`${request.label}, its answer`, bytes, request.edition, request.record);
}

// Bytes of no known form are the struct's that is looked at, one after another.
function ofShown(bytes, { edition, record, layout }) {
  if (!layout?.size) throw new Error("choose a struct before: these bytes are of no known form");
  if (bytes.length < layout.size) {
    throw new Error(`${counted(bytes.length, "byte")} ${bytes.length === 1 ? "is" : "are"} too few: ${record} has ${layout.size}`);
  }
  const count = Math.min(Math.floor(bytes.length / layout.size), MOST_SAMPLES);
  return Array.from({ length: count }, (_, number) =>
    sample(`#${number}`, bytes.slice(number * layout.size, (number + 1) * layout.size), edition, record));
}
