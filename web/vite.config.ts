import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { offline } from "./offline";

const page = (name: string) => decodeURI(new URL(`${name}.html`, import.meta.url).pathname);

// One folder of files with digests in their names, beside the pages. No inline script or
// style: the Content-Security-Policy of the node refuses both.
export default defineConfig({
  plugins: [svelte(), offline("book", "book-worker")],
  base: "/",
  build: {
    outDir: "../holdfast/api/pages",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rollupOptions: {
      input: {
        enter: page("enter"), desk: page("desk"), kiosk: page("kiosk"), hub: page("hub"), book: page("book"),
        offer: page("offer"), "book-worker": decodeURI(new URL("src/book/worker.ts", import.meta.url).pathname),
      },
      // A worker stands beside its page, under a name that never changes: browsers ask for it again.
      output: { entryFileNames: (one) => (one.name === "book-worker" ? "[name].js" : "assets/[name]-[hash].js") },
    },
  },
});
