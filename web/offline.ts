// What lets a page be read without a network: its worker, which is told here which files the page is
// made of. Their names carry digests, so that another build is another worker.

import type { Plugin, Rollup } from "vite";

const LIST = /\[["'`]files of the page["'`]\]/;

/** Writes the names of all that the entry `page` loads into the entry `worker`. */
export function offline(page: string, worker: string): Plugin {
  return {
    name: "holdfast-offline",
    apply: "build",
    generateBundle(_, bundle) {
      const told = entry(worker, bundle);
      if (!told || !LIST.test(told.code)) return this.error(`${worker} has no place for the files of ${page}`);
      const files = [...filesOf(page, bundle)].sort().map((one) => `/${one}`);
      told.code = told.code.replace(LIST, () => JSON.stringify(files));
    },
  };
}

const entry = (name: string, bundle: Rollup.OutputBundle) =>
  Object.values(bundle).find((one): one is Rollup.OutputChunk => one.type === "chunk" && one.isEntry && one.name === name);

function filesOf(page: string, bundle: Rollup.OutputBundle): Set<string> {
  const found = new Set<string>();
  const open = [entry(page, bundle)?.fileName ?? ""];
  while (open.length) {
    const name = open.pop()!;
    const chunk = bundle[name];
    if (found.has(name) || chunk?.type !== "chunk") continue;
    found.add(name);
    for (const style of chunk.viteMetadata?.importedCss ?? []) found.add(style);
    open.push(...chunk.imports, ...chunk.dynamicImports);
  }
  return found;
}
