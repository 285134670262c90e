// What is looked at, and how it comes to be seen. The address tells the former, so that each
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

function begin() {
  at("chapter").append(...atlas.chapters.map((chapter, index) => make("option", { value: String(index) }, chapter.name)));
  at("abi").append(...atlas.abis.map((abi) => make("option", {}, abi)));
  listen();
  follow();
}

begin();
