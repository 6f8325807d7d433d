// Nobody gets away from the page: no menu, nothing to drag out, and back leads to where one is.

/** Keep whoever stands here on the page, until the returned function is called. */
export function keepHere(): () => void {
  const refuse = (event: Event) => event.preventDefault();
  const stay = () => history.forward();
  document.addEventListener("contextmenu", refuse);
  document.addEventListener("dragstart", refuse);
  addEventListener("popstate", stay);
  addEventListener("pointerup", hold);
  hold();
  return () => {
    document.removeEventListener("contextmenu", refuse);
    document.removeEventListener("dragstart", refuse);
    removeEventListener("popstate", stay);
    removeEventListener("pointerup", hold);
  };
}

// A second entry of the same page lies on top, from which back leads to the first one and so here
// again. Browsers skip an entry that was made before anybody touched the page: so there is one more.
function hold(event?: Event): void {
  const wanted = event ? "touched" : "kept";
  if (history.state === wanted || history.state === "touched") return;
  history.pushState(wanted, "", location.pathname + location.search);
}

/** Fill the screen, where fingers touch it and the browser was not started so. */
export function fillScreen(): void {
  if (document.fullscreenElement || !document.fullscreenEnabled || !matchMedia("(pointer: coarse)").matches) return;
  // A browser that will not do it shows the page as it is, which is as good.
  document.documentElement.requestFullscreen({ navigationUI: "hide" }).catch(() => undefined);
}
