// What the user does about what is seen: by the pointer, by keys, by the search.

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
