// SPDX-License-Identifier: Apache-2.0
// What of a page has too little contrast: text less than 4.5 or, where it is large, 3 (WCAG 2.2,
// 1.4.3), and what tells a field or a line of a plot from what is behind it less than 3 (1.4.11).
// It is the body of a function, and returns how many texts were looked at, and a line for each.
const channel = (value) => {
  value /= 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
};
const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const parse = (text) => text.match(/[0-9.]+/g).map(Number);
const behind = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const [r, g, b, a = 1] = parse(getComputedStyle(each).backgroundColor);
    if (a === 1) return [r, g, b];
    if (a !== 0) throw new Error(`half transparent: ${each.outerHTML}`);
  }
  throw new Error("nothing is behind it");
};
const contrast = (one, other) => {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
const found = [];
let seen = 0;
const all = document.querySelector("dialog[open]") ?? document.body;
const texts = document.createTreeWalker(all, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const element = texts.currentNode.parentElement;
  if (!texts.currentNode.data.trim() || !element.checkVisibility()) continue;
  const style = getComputedStyle(element);
  const paint = element instanceof SVGElement ? style.fill : style.color;
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  const has = contrast(parse(paint), behind(element));
  seen += 1;
  if (has < (large ? 3 : 4.5)) {
    found.push(`${element.tagName} ${texts.currentNode.data.trim()}: ${has.toFixed(2)}`);
  }
}
for (const element of document.querySelectorAll("#filter, #pause")) {
  const border = parse(getComputedStyle(element).borderTopColor);
  const has = contrast(border, behind(element.parentElement));
  if (has < 3) found.push(`${element.id}'s border: ${has.toFixed(2)}`);
}
for (const element of document.querySelectorAll("#traffic path, #traffic .key line")) {
  const has = contrast(parse(getComputedStyle(element).stroke), behind(element));
  if (has < 3) found.push(`a line of the plot: ${has.toFixed(2)}`);
}
return [seen, found];
