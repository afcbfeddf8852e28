// Reports what on the page is too faint to read, or too small to press. Colours as WCAG 2.2 counts them.
const parse = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
const linear = (v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
const ratio = (a, b) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};
const over = ([r, g, b, a = 1], below) => [r, g, b].map((v, i) => v * a + below[i] * (1 - a));
const behind = (element) => {
  const chain = [];
  for (let each = element; each; each = each.parentElement) chain.unshift(parse(getComputedStyle(each).backgroundColor));
  return chain.reduce((below, colour) => (colour.length ? over(colour, below) : below), [0, 0, 0]);
};
const visible = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true });
const hiddenToEyes = (element) => element.closest(".visually-hidden, .skip, dialog") !== null;
const words = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
const name = (element) => `${element.tagName}#${element.id} ${element.textContent.trim().slice(0, 40)}`;

const faint = [];
const small = [];
let read = 0;
for (const element of document.querySelectorAll("body *")) {
  if (!visible(element) || hiddenToEyes(element) || element.closest("svg")) continue;
  const style = getComputedStyle(element);
  if (words(element)) {
    read += 1;
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    const seen = ratio(over(parse(style.color), behind(element)), behind(element));
    if (seen < (large ? 3 : 4.5)) faint.push(`${name(element)}: ${seen.toFixed(2)}`);
  }
  if (element.matches("button, a, input, select")) {
    const box = element.getBoundingClientRect();
    if (box.height < 48 || box.width < 48) small.push(`${name(element)}: ${box.width.toFixed(0)} x ${box.height.toFixed(0)}`);
    const quiet = ["to-health", "to-operate", "to-maintain"].includes(element.id) || element.matches("input[type=range]");
    const edge = ratio(parse(style.borderTopColor), behind(element.parentElement));
    const face = ratio(behind(element), behind(element.parentElement));
    if (!quiet && Math.max(edge, face) < 3) faint.push(`the edge of ${name(element)}: ${edge.toFixed(2)}`);
  }
}
return { read, faint, small };
