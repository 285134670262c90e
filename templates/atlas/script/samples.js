// The bytes that the user gives: taken, and shown where the struct is that they are of.

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
