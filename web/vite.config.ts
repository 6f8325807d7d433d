import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

const page = (name: string) => decodeURI(new URL(`${name}.html`, import.meta.url).pathname);

// One folder of files with digests in their names, beside the pages. No inline script or
// style: the Content-Security-Policy of the node refuses both.
export default defineConfig({
  plugins: [svelte()],
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
        enter: page("enter"), desk: page("desk"), kiosk: page("kiosk"), hub: page("hub"), offer: page("offer"),
      },
    },
  },
});
