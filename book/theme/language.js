// Puts a link to the same page in the other language into the menu bar.
(() => {
  const korean = document.documentElement.lang === "ko";
  // mdBook tells each page where the book's first folder is, relative to the page.
  const root = new URL(typeof path_to_root === "string" && path_to_root ? path_to_root : "./", location.href);
  const page = location.href.slice(root.href.length).replace(/[?#].*$/, "");
  const other = new URL((korean ? "../" : "ko/") + page + location.hash, root);
  const link = document.createElement("a");
  link.className = "language";
  link.href = other.href;
  link.lang = korean ? "en" : "ko";
  link.hreflang = link.lang;
  link.textContent = korean ? "English" : "한국어";
  const buttons = document.querySelector(".right-buttons");
  if (buttons) buttons.prepend(link);
})();
