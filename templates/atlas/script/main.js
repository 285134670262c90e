// What is looked at, and what the user does about it. The address tells the former, so that each
// step can be linked to and gone back from.

const at = (id) => document.getElementById(id);
const FORMS = ["integer", "float", "pointer", "array", "struct", "bits", "padding", "hole"];

const state = {
  edition: allEditions[0],
  before: null, // the edition of the release before
  abi: "x86_64",
  name: "", // of the record or group that is looked at
  key: null,
  layout: null,
  path: "", // of the member that is chosen
  open: new Set(), // paths of the members that are drawn in place
  width: innerWidth < 600 ? 4 : 8, // bytes a row
  samples: [],
  sample: null,
  bytes: null, // the sample's, if it is of the record that is looked at
};

const chapterOf = (edition) => atlas.chapters.find((chapter) => chapter.editions.includes(edition));

// Follows the address.
function follow() {
  const target = linked(location.hash) ?? { edition: firstEdition(), name: "", path: "", abi: state.abi };
  if (state.name !== target.name) state.open.clear();
  Object.assign(state, target);
  if (!state.name) state.name = nameOf(state.edition, favourite(state.edition) ?? "");
  const { editions } = chapterOf(state.edition);
  state.before = editions[editions.indexOf(state.edition) - 1] ?? null;
  state.key = keyOf(state.edition, state.name);
  state.layout = state.key && layoutOf(state.edition, state.key, state.abi);
  openAround(state.path);
  draw();
  at("picture").querySelector(".chosen")?.scrollIntoView({ block: "nearest" });
}

const firstEdition = () => atlas.chapters[0].editions.at(-1);

// What one sees first: a ring's requests, else what has most members.
function favourite(edition) {
  const sizes = (key) => layoutOf(edition, key, state.abi)?.parts.length ?? 0;
  return edition.rings[0]?.request ?? [...edition.own].sort((one, other) => sizes(other) - sizes(one))[0];
}

// Opens what a path goes through, and its end if there is something inside.
function openAround(path) {
  const names = path.split(".");
  names.forEach((_, index) => {
    const outer = names.slice(0, index + 1).join(".");
    if (outer) state.open.add(outer.replace(/\[\d+\]$/, ""));
  });
}

function go(changed) {
  const link = linkTo({ ...state, ...changed });
  if (link === location.hash) follow();
  else location.hash = link;
}

function draw() {
  showChoices();
  showNames();
  showSamples();
  const group = groupOf(state.edition, state.name);
  at("title").replaceChildren(...titleOf(group));
  at("picture").replaceChildren();
  at("table").replaceChildren();
  if (state.layout) {
    at("picture").style.setProperty("--digits", String(state.layout.size).length);
    at("picture").append(rulerOf(state), pictureOf(state, state.key));
    at("table").append(tableOf(state));
    const isDrawn = (form) => at("picture").querySelector(`.box.${form}`);
    at("legend").replaceChildren(...FORMS.filter(isDrawn).map((form) =>
      make("li", {}, make("span", { className: `box ${form}` }), form)));
  } else if (group) at("table").append(constantsOf(group));
  for (const id of ["legend", "open-all", "close-all"]) at(id).hidden = !state.layout;
  const boxes = [...at("picture").querySelectorAll("button.box")];
  const chosen = boxes.find((box) => box.dataset.path === state.path) ?? boxes[0];
  if (chosen) chosen.tabIndex = 0;
  tell(state.path);
  document.title = `${state.name || atlas.title}: ${state.edition.name}`;
}

// Tells what is known of a member, or of all where there is none.
function tell(path) {
  at("details").className = memberAt(state, path) ? "" : "of-all";
  at("details").replaceChildren(...detailsOf(state, path).filter(Boolean));
}

function titleOf(group) {
  const layout = state.layout;
  if (!layout && !group) {
    const absent = `${state.name} is not there in ${state.edition.name} on ${state.abi}`;
    return [make("h2", {}, state.name), make("p", { className: "absent" }, absent)];
  }
  const then = state.before && state.key ? layoutOf(state.before, state.key, state.abi) : null;
  const grew = then && layout && then.size !== layout.size ? `, ${then.size} in ${state.before.name}` : "";
  const names = Object.entries(state.edition.typedefs).filter(([, key]) => key === state.key).map(([name]) => name);
  const spelled = state.key?.includes(" ") ? state.name.replace(/^\w+:/, "") : state.name;
  const heading = layout ? `${layout.kind} ${spelled}` : titleOfGroup(group);
  return [
    make("h2", {}, heading),
    layout ? make("p", { className: "size" }, `${counted(layout.size, "byte")}${grew}, aligned to ${layout.alignment}, in ${state.edition.name} on ${state.abi}`) : "",
    names.length ? make("p", { className: "code" }, `typedef ${names.join(", ")}`) : "",
    make("p", {}, layout ? layout.doc : group.doc),
  ].filter(Boolean);
}

function showChoices() {
  const chapter = chapterOf(state.edition);
  at("for-chapter").hidden = atlas.chapters.length < 2;
  at("chapter").value = String(atlas.chapters.indexOf(chapter));
  at("for-edition").hidden = chapter.editions.length < 2;
  at("edition").max = String(chapter.editions.length - 1);
  at("edition").value = String(chapter.editions.indexOf(state.edition));
  at("edition").setAttribute("aria-valuetext", state.edition.name);
  at("edition-name").value = state.edition.name;
  at("abi").value = state.abi;
  at("width").value = String(state.width);
}

function showNames() {
  const { edition, before, abi } = state;
  const entries = edition.own
    .map((key) => ({ key, layout: layoutOf(edition, key, abi) }))
    .filter(({ layout }) => layout)
    .map(({ key, layout }) => {
      const became = stateOf(edition, before, key, abi);
      return nameEntry(nameOf(edition, key), nameOf(edition, key).replace(":", " "), String(layout.size), became);
    });
  const constants = edition.groups.map((index) =>
    nameEntry(groups[index].spelling, titleOfGroup(groups[index]), String(groups[index].members.length), ""));
  const parts = [make("h2", {}, "Structs and unions"), make("ul", {}, ...entries)];
  if (constants.length) parts.push(make("h2", {}, "Constants"), make("ul", {}, ...constants));
  at("names").replaceChildren(...parts);
}

function nameEntry(name, title, number, became) {
  const link = make("a", { href: linkTo({ ...state, name, path: "" }) }, make("span", {}, title));
  if (name === state.name) link.setAttribute("aria-current", "page");
  if (became) link.append(make("em", { className: became }, became));
  link.append(make("small", {}, number));
  return make("li", {}, link);
}

function showSamples() {
  const { samples, sample } = state;
  at("samples").hidden = !samples.length;
  state.bytes = sample && keyOf(state.edition, state.name) === sample.record ? sample.bytes : null;
  if (sample) at("sample").value = String(samples.indexOf(sample));
}

// Shows a sample: of its record, in the edition that it is of, with what it selects open.
function showSample(sample) {
  state.sample = sample ?? null;
  if (!sample) return draw();
  const name = nameOf(sample.edition, sample.record);
  state.bytes = sample.bytes;
  const isSame = state.edition === sample.edition && state.name === name;
  if (!isSame) state.open.clear();
  for (const path of selectedPaths(sample)) state.open.add(path);
  return go({ edition: sample.edition, name, path: isSame ? state.path : "" });
}

// The paths that show what the bytes select: the union, and its member for their tag.
function* selectedPaths(sample) {
  for (const payload of sample.edition.payloads.filter((each) => each.record === sample.record)) {
    const layout = layoutOf(sample.edition, sample.record, state.abi);
    const tag = layout?.parts.find((part) => part.name === payload.tag);
    const selected = tag && payload.members[String(numbersOf(tag, sample.bytes, 0)[0])];
    if (!selected) continue;
    yield payload.union;
    yield payload.union ? `${payload.union}.${selected}` : selected;
  }
}

function take(bytes) {
  try {
    const shown = { edition: state.edition, record: state.key, layout: state.layout };
    state.samples = samplesOf(bytes, shown);
    at("message").textContent = `${counted(state.samples.length, "sample")} of ${counted(bytes.length, "byte")}`;
  } catch (error) {
    at("message").textContent = `Not read: ${error.message}`;
    return;
  }
  const options = state.samples.map((each, index) =>
    make("option", { value: String(index) }, `${each.label}, ${each.edition.name}`));
  at("sample").replaceChildren(...options);
  for (const each of state.samples) if (each.record === state.key) each.edition ??= state.edition;
  state.open.clear();
  showSample(state.samples[0]);
}

// Takes a text that was pasted or dropped; of bytes as they are it is none, as a file may be.
function takeText(text) {
  const isJson = text.trimStart().startsWith("{");
  const bytes = isJson ? new TextEncoder().encode(text) : octetsOf(text);
  if (bytes) take(bytes);
  else at("message").textContent = "Not read: this is neither hexadecimal nor lines of JSON";
}

const takeFile = async (file) => take(new Uint8Array(await file.arrayBuffer()));

// ---- what the user does

const choose = (path) => go({ path });

function toggle(path) {
  if (state.open.has(path)) {
    for (const each of [...state.open]) {
      if (each === path || each.startsWith(`${path}.`) || each.startsWith(`${path}[`)) state.open.delete(each);
    }
    draw();
  } else {
    state.open.add(path);
    draw();
  }
}

function refocus(path) {
  at("picture").querySelector(`button[data-path="${CSS.escape(path)}"]`)?.focus();
}

function point(event) {
  const path = event.target.closest?.("[data-path]")?.dataset.path;
  if (path) tell(path);
}

function click(event) {
  const path = event.target.closest("[data-path]")?.dataset.path;
  if (!path) return;
  const { part } = memberAt(state, path) ?? {};
  if (part?.record) toggle(path);
  history.replaceState(null, "", linkTo({ ...state, path }));
  state.path = path;
  draw();
  refocus(path);
}

function moveInPicture(event) {
  const box = event.target.closest("button.box");
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };
  if (event.key === "Escape" && box) {
    const path = box.dataset.path;
    const outer = state.open.has(path) ? path : path.replace(/\.?[^.]*$/, "").replace(/\[\d+\]$/, "");
    if (outer && state.open.has(outer)) toggle(outer);
    refocus(outer || path);
    return;
  }
  if (!box || !(event.key in steps)) return;
  event.preventDefault();
  const boxes = [...at("picture").querySelectorAll("button.box")];
  const next = Math.max(0, Math.min(boxes.length - 1, boxes.indexOf(box) + steps[event.key]));
  box.tabIndex = -1;
  boxes[next].tabIndex = 0;
  boxes[next].focus();
}

function stepEdition(step) {
  const { editions } = chapterOf(state.edition);
  const edition = editions[editions.indexOf(state.edition) + step];
  if (edition) go({ edition });
}

function everyKey(event) {
  if (event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    event.preventDefault();
    at("search").focus();
  } else if (event.key === ",") stepEdition(-1);
  else if (event.key === ".") stepEdition(1);
}

function openAll() {
  // Each round opens one level more, until there is nothing left or enough to look at.
  for (let size = -1; size !== state.open.size && state.open.size < 300; ) {
    size = state.open.size;
    for (const { part, path } of [...membersOf(state, state.key)]) if (part.record) state.open.add(path);
  }
  draw();
}

function search() {
  const wanted = at("search").value;
  const editions = atlas.chapters.map((chapter) =>
    chapter.editions.includes(state.edition) ? state.edition : chapter.editions.at(-1));
  at("found").hidden = !wanted.trim();
  at("found").replaceChildren(...foundList(find(wanted, editions, state.abi)));
}

function moveInSearch(event) {
  const links = [...at("found").querySelectorAll("a")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === "Escape") {
    at("found").hidden = true;
    at("search").focus();
  } else if (event.key === "Enter" && event.target === at("search")) {
    links[0]?.click();
  } else if (step) {
    event.preventDefault();
    const next = links.indexOf(document.activeElement) + step;
    (links[next] ?? at("search")).focus();
  }
}

function listen() {
  addEventListener("hashchange", follow);
  addEventListener("keydown", everyKey);
  at("picture").addEventListener("click", click);
  at("picture").addEventListener("keydown", moveInPicture);
  for (const event of ["mouseover", "focusin"]) at("picture").addEventListener(event, point);
  at("picture").addEventListener("mouseleave", () => tell(state.path));
  at("chapter").addEventListener("change", () => {
    const chapter = atlas.chapters[Number(at("chapter").value)];
    go({ edition: chapter.editions.at(-1), name: "", path: "" });
  });
  at("edition").addEventListener("input", () => go({ edition: chapterOf(state.edition).editions[Number(at("edition").value)] }));
  at("abi").addEventListener("change", () => go({ abi: at("abi").value }));
  at("width").addEventListener("change", () => {
    state.width = Number(at("width").value);
    draw();
  });
  at("open-all").addEventListener("click", openAll);
  at("close-all").addEventListener("click", () => {
    state.open.clear();
    draw();
  });
  at("search").addEventListener("input", search);
  at("search").parentElement.addEventListener("keydown", moveInSearch);
  at("found").addEventListener("click", () => {
    at("found").hidden = true;
  });
  listenForBytes();
}

function listenForBytes() {
  at("file-button").addEventListener("click", () => at("file").click());
  at("file").addEventListener("change", () => takeFile(at("file").files[0]));
  at("paste-button").addEventListener("click", () => {
    at("pasting").hidden = !at("pasting").hidden;
    at("paste-button").setAttribute("aria-expanded", String(!at("pasting").hidden));
    if (!at("pasting").hidden) at("hex").focus();
  });
  at("pasting").addEventListener("submit", (event) => {
    event.preventDefault();
    takeText(at("hex").value);
  });
  addEventListener("paste", (event) => {
    if (event.target.matches?.("input, textarea")) return;
    const [file] = event.clipboardData.files;
    if (file) takeFile(file);
    else takeText(event.clipboardData.getData("text"));
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    at("drop").hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) at("drop").hidden = true;
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    at("drop").hidden = true;
    const [file] = event.dataTransfer.files;
    if (file) takeFile(file);
    else takeText(event.dataTransfer.getData("text"));
  });
  at("sample").addEventListener("change", () => showSample(state.samples[Number(at("sample").value)]));
  const step = (by) => () => {
    const next = state.samples[state.samples.indexOf(state.sample) + by];
    if (next) showSample(next);
  };
  at("sample-before").addEventListener("click", step(-1));
  at("sample-after").addEventListener("click", step(1));
  at("sample-away").addEventListener("click", () => {
    state.samples = [];
    showSample(null);
    at("message").textContent = "";
  });
}

function begin() {
  at("chapter").append(...atlas.chapters.map((chapter, index) => make("option", { value: String(index) }, chapter.name)));
  at("abi").append(...atlas.abis.map((abi) => make("option", {}, abi)));
  listen();
  follow();
}

begin();
