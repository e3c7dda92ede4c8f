// An explorer's view: native controls, the picture, the sentence that reads it.
// Frames come from the page itself (`frames`, packed) or, one by one, from the kernel.

const WAIT = 150; // ms before a frame in the making is announced
const PATIENCE = 8000; // ms before we doubt that a kernel is there

async function unpack(packed) {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

function element(tag, className, properties = {}) {
  if (className) properties.className = className;
  return Object.assign(document.createElement(tag), properties);
}

let count = 0; // makes ids and radio groups unique in the page

async function render({ model, el }) {
  const controls = model.get("controls");
  const chosen = controls.map((control) => control.start);
  const place = (key) => key.reduce((row, index, i) => row * controls[i].says.length + index, 0);

  const known = new Map(); // frames by place
  const packed = model.get("frames");
  if (packed) {
    (await unpack(packed)).forEach(([pictures, reading], i) => known.set(i, { pictures, reading }));
  } else {
    const first = model.get("first");
    known.set(place(first.key), first);
  }

  const root = element("div", "gf-explorer");
  const form = root.appendChild(element("div", "gf-controls"));
  const picture = root.appendChild(element("div", "gf-picture"));
  picture.setAttribute("role", "img");
  const reading = root.appendChild(element("p", "gf-reading"));
  reading.setAttribute("aria-live", "polite");
  const note = root.appendChild(element("p", "gf-note", { hidden: true }));
  note.setAttribute("role", "status");

  function say(text, isError = false) {
    note.hidden = !text;
    note.textContent = text;
    note.classList.toggle("gf-error", isError);
  }

  let asked = null; // the place the kernel is working on; one question at a time
  let timers = [];

  function show() {
    const frame = known.get(place(chosen));
    if (!frame) return ask();
    settle();
    picture.innerHTML = frame.pictures.map((svg) => `<div class="gf-panel">${svg}</div>`).join("");
    picture.setAttribute("aria-label", frame.reading);
    reading.textContent = frame.reading;
  }

  function settle() {
    timers.forEach(clearTimeout);
    picture.removeAttribute("aria-busy");
    say("");
  }

  function ask() {
    if (asked !== null) return; // its answer brings us back here
    asked = place(chosen);
    settle();
    timers = [
      setTimeout(() => (picture.setAttribute("aria-busy", "true"), say("computing …")), WAIT),
      setTimeout(() => {
        asked = null; // ask again at the next move
        say("Still computing. If nothing comes, run the cell again: the picture needs its kernel.");
      }, PATIENCE),
    ];
    model.send({ ask: [...chosen] });
  }

  function receive(answer) {
    const at = place(answer.key);
    if (at === asked) asked = null;
    if (!answer.error) known.set(at, answer);
    root.dataset.milliseconds = answer.milliseconds ?? "";
    if (answer.error && at === place(chosen)) {
      settle();
      say(`This frame could not be drawn. ${answer.error}`, true);
    } else show();
  }
  model.on("msg:custom", receive);

  let stops = [];
  controls.forEach((control, i) => {
    const id = `gf-control-${count++}`;
    const choose = (index) => {
      chosen[i] = index;
      show();
    };
    if (control.kind === "slider") stops.push(slider(form, control, id, choose, reading));
    else if (control.says.length <= 4) radios(form, control, id, choose);
    else select(form, control, id, choose);
  });

  form.querySelectorAll("input, select, button").forEach((input) => {
    input.dataset.lmSuppressShortcuts = "true"; // or JupyterLab takes the arrow keys for its own
  });

  show();
  el.replaceChildren(root);
  return () => {
    stops.forEach((stop) => stop());
    settle();
    model.off("msg:custom", receive);
  };
}

function slider(form, control, id, choose, reading) {
  const box = form.appendChild(element("div", "gf-control gf-slider"));
  const last = control.says.length - 1;
  const input = element("input", "", { id, type: "range", min: 0, max: last, step: 1, value: control.start });
  const value = element("output", "", { htmlFor: id });
  const tell = () => {
    const text = control.says[input.value] + (control.unit && ` ${control.unit}`);
    value.textContent = text;
    input.setAttribute("aria-valuetext", text);
  };
  const move = (index) => {
    input.value = index;
    tell();
    choose(Number(input.value));
  };
  tell();
  box.append(element("label", "", { htmlFor: id, textContent: control.label }), value, input);
  if (!control.play) {
    input.addEventListener("input", () => move(input.value));
    return () => {};
  }

  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const button = element("button", "gf-play", { type: "button" });
  let timer = null;
  const dress = () => {
    const word = timer === null ? "play" : "pause";
    button.dataset.does = word;
    button.setAttribute("aria-label", `${word} ${control.label}`);
    // every frame of a film would be read aloud
    reading.setAttribute("aria-live", timer === null ? "polite" : "off");
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    dress();
  };
  const step = () => {
    if (form.nextSibling.getAttribute("aria-busy")) return; // the kernel is behind: wait for it
    if (Number(input.value) < last) move(Number(input.value) + 1);
    if (Number(input.value) === last) stop();
  };
  button.addEventListener("click", () => {
    if (timer !== null) return stop();
    if (Number(input.value) === last) move(0);
    timer = setInterval(step, calm.matches ? 1000 : Math.min(500, Math.max(80, 6000 / last)));
    dress();
  });
  input.addEventListener("input", () => {
    stop();
    move(input.value);
  });
  dress();
  box.append(button);
  return stop;
}

function radios(form, control, id, choose) {
  const box = form.appendChild(element("fieldset", "gf-control gf-radios"));
  box.append(element("legend", "", { textContent: control.label }));
  control.says.forEach((say, index) => {
    const label = box.appendChild(element("label", ""));
    const input = element("input", "", { type: "radio", name: id, checked: index === control.start });
    input.addEventListener("change", () => choose(index));
    label.append(input, element("span", "", { textContent: say }));
  });
}

function select(form, control, id, choose) {
  const box = form.appendChild(element("div", "gf-control gf-select"));
  const input = element("select", "", { id });
  input.append(...control.says.map((say) => element("option", "", { textContent: say })));
  input.selectedIndex = control.start;
  input.addEventListener("change", () => choose(input.selectedIndex));
  box.append(element("label", "", { htmlFor: id, textContent: control.label }), input);
}

export default { render };
