// The language of the page. Texts follow a switch at once, wherever they were set by `say`.

import { chinese, chineseErrors, chineseHints } from "./chinese.js";
import { english, englishErrors, englishHints } from "./english.js";
import { FORMATS } from "./formats.js";

const CHOSEN = "facecli.language";
const ENGLISH = { texts: english, errors: englishErrors, hints: englishHints };
const CHINESE = { texts: chinese, errors: chineseErrors, hints: chineseHints };
export const LANGUAGES = { en: ["English", ENGLISH], "zh-Hans": ["简体中文", CHINESE] };

const ATTRIBUTES = { label: "aria-label", placeholder: "placeholder" };
const said = new WeakMap(); // element → attribute, or "" for its text → function that makes the text

let language = localStorage.getItem(CHOSEN) ?? (navigator.language.startsWith("zh") ? "zh-Hans" : "en");
if (!(language in LANGUAGES)) language = "en";

export function currentLanguage() {
  return language;
}

export function setLanguage(code) {
  language = code;
  localStorage.setItem(CHOSEN, code);
  translate();
}

/** Translate everything: what was said, and the elements of the page that name their texts. */
export function translate() {
  document.documentElement.lang = language;
  document.title = `${text("title")} · facecli`;
  for (const element of document.querySelectorAll("[data-say], [data-label], [data-placeholder], [data-said]")) {
    const { say: key, label: labelKey, placeholder } = element.dataset;
    if (key) element.textContent = text(key);
    if (labelKey) element.setAttribute("aria-label", text(labelKey));
    if (placeholder) element.placeholder = text(placeholder);
    said.get(element)?.forEach((make, attribute) => write(element, attribute, make()));
  }
}

/** The text of this name with its values. */
export function text(name, values = {}) {
  return LANGUAGES[language][1].texts[name].replace(/\{(\w+)(?:\|(\w+))?\}/g, (whole, value, format) =>
    format ? FORMATS[format](values[value], language) : values[value],
  );
}

/** A value in the language of the page. */
export function formatted(value, format) {
  return FORMATS[format](value, language);
}

/** The title of an error and its hint; either may be empty. */
export function errorTexts(reason) {
  const { errors, hints } = LANGUAGES[language][1];
  return { title: errors[reason] ?? "", hint: hints[reason] ?? "" };
}

/** Set the text of an element, now and whenever the language changes. */
export function say(element, name, values) {
  return sayThat(element, () => text(name, values));
}

/** Set the text of an element to what `make` returns. */
export function sayThat(element, make, attribute = "") {
  if (!said.has(element)) said.set(element, new Map());
  said.get(element).set(attribute, make);
  element.dataset.said = "";
  write(element, attribute, make());
  return element;
}

/** Set the accessible name of an element. */
export function label(element, name, values) {
  return sayThat(element, () => text(name, values), ATTRIBUTES.label);
}

function write(element, attribute, value) {
  if (attribute) {
    if (element.getAttribute(attribute) !== value) element.setAttribute(attribute, value);
  } else if (element.textContent !== value) element.textContent = value;
}
