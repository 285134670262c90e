// What the address says: `#4.18/vm_event_st/u.mem_access@arm64`, and the other way round.

const allEditions = atlas.chapters.flatMap((chapter) => chapter.editions);

function linkTo({ edition, name, path = "", abi = "x86_64" }) {
  const place = [edition.link, name, path].filter(Boolean).join("/");
  return `#${place}${abi === "x86_64" ? "" : `@${abi}`}`;
}

// What a link names, as far as there is such; null for one that names no edition.
function linked(hash) {
  let text = hash.slice(1);
  try {
    text = decodeURIComponent(text);
  } catch {
    return null;
  }
  const [place, abi] = text.split("@");
  const names = allEditions.flatMap((edition) =>
    [edition.link, ...edition.releases].map((name) => [name, edition]));
  const fitting = names.filter(([name]) => place === name || place.startsWith(`${name}/`));
  if (!fitting.length) return null;
  const [name, edition] = fitting.sort(([one], [other]) => other.length - one.length)[0];
  const [record = "", path = ""] = place.slice(name.length + 1).split("/");
  return { edition, name: record, path, abi: atlas.abis.includes(abi) ? abi : "x86_64" };
}
