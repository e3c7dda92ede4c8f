// Shows the explorers of a page with no kernel: plays the part of Jupyter for the widget states stored in it.
// A classic script around one async function, because a module script does not load from file://.
(() => {
  const STATE = 'script[type="application/vnd.jupyter.widget-state+json"]';
  const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';

  // What a widget's view may ask of its model. Nothing is sent: there is no kernel, every frame is in the state.
  function host(state) {
    return { get: (key) => state[key], set() {}, on() {}, off() {}, send() {}, save_changes() {} };
  }

  async function show() {
    const models = {};
    document.querySelectorAll(STATE).forEach((script) => Object.assign(models, JSON.parse(script.textContent).state));
    const modules = new Map(); // one import for all explorers of the page, one style sheet
    for (const script of document.querySelectorAll(VIEW)) {
      const state = models[JSON.parse(script.textContent).model_id]?.state;
      if (!state?._esm) continue;
      if (!modules.has(state._esm)) {
        const url = URL.createObjectURL(new Blob([state._esm], { type: "text/javascript" }));
        modules.set(state._esm, import(url));
        document.head.append(Object.assign(document.createElement("style"), { textContent: state._css }));
      }
      const el = document.createElement("div");
      script.after(el);
      try {
        await (await modules.get(state._esm)).default.render({ model: host(state), el });
      } catch (error) {
        el.textContent = "This explorer needs a newer browser (from 2023 on).";
        console.error(error);
      }
    }
  }

  if (document.readyState === "loading") addEventListener("DOMContentLoaded", show);
  else show();
})();
