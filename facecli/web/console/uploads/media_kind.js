// Whether a file is a picture or a video, by its first bytes.

const HEAD_BYTES = 16;
const PICTURES = ["ffd8ff", "89504e470d0a1a0a", "47494638", "49492a00", "4d4d002a", "424d"];
const VIDEOS = ["1a45dfa3", "464c5601", "000001ba", "47"];
const PICTURE_BRANDS = /^(hei|hev|mif1|msf1|avi[fs])/;
const BOXES = new Set(["ftyp", "moov", "mdat", "moof", "free", "skip", "wide", "pnot", "styp", "sidx"]);

/** `image` or `video`; null if the bytes do not tell. */
export async function mediaKind(file) {
  const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer().catch(() => new ArrayBuffer(0)));
  const hex = Array.from(head, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const ascii = String.fromCharCode(...head);
  const box = ascii.slice(4, 8);
  if (PICTURES.some((start) => hex.startsWith(start))) return "image";
  if (ascii.startsWith("RIFF")) return { WEBP: "image", "AVI ": "video" }[ascii.slice(8, 12)] ?? null;
  if (box === "ftyp" && PICTURE_BRANDS.test(ascii.slice(8, 12))) return "image";
  if (BOXES.has(box) || VIDEOS.some((start) => hex.startsWith(start))) return "video";
  return null;
}
