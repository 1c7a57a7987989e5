// The language and the colours of the page.

import { currentLanguage, LANGUAGES, setLanguage, translate } from "../text/language.js";
import { byId, element } from "./dom.js";

const THEME = "facecli.theme";

export function showAppearance() {
  const languages = byId("language");
  for (const [code, [name]] of Object.entries(LANGUAGES)) {
    languages.append(element("option", { value: code, textContent: name, lang: code }));
  }
  languages.value = currentLanguage();
  languages.addEventListener("change", () => setLanguage(languages.value));

  const themes = byId("theme");
  themes.value = localStorage.getItem(THEME) ?? "auto";
  const apply = () => {
    document.documentElement.dataset.theme = themes.value;
  };
  themes.addEventListener("change", () => {
    localStorage.setItem(THEME, themes.value);
    apply();
  });
  apply();
  translate();
}
