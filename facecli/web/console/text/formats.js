// Values as text, in the language of the page.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export const FORMATS = {
  number: (value, language) => new Intl.NumberFormat(language).format(value),
  bytes: (value, language) => {
    const power = value > 0 ? Math.min(UNITS.length - 1, Math.floor(Math.log2(value) / 10)) : 0;
    const digits = power && value / 1024 ** power < 100 ? 1 : 0;
    const number = new Intl.NumberFormat(language, { maximumFractionDigits: digits });
    return `${number.format(value / 1024 ** power)}\u00a0${UNITS[power]}`;
  },
  time: (value, language) =>
    new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(value)),
  duration: (seconds, language) => {
    const [unit, size] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]].find(
      ([, size]) => seconds >= size && seconds % size === 0,
    ) ?? ["second", 1];
    return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(seconds / size);
  },
};
