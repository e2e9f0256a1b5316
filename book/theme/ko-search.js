// mdBook's index holds Latin words only: its tokenizer throws Korean syllables away, although the text of every page is
// stored. This script answers a query with Korean in it by looking for its words inside the stored text, so that a noun
// is also found with a particle behind it. Other queries go to the index as before.
(() => {
  // It stands in the page's head, where it must, and at its end, where mdBook puts every script of the book.
  if (window.searchesKorean) return;
  window.searchesKorean = true;

  const HANGUL = /[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]/;

  function searchStored(index, query) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    const results = [];
    for (const [ref, doc] of Object.entries(index.documentStore.docs)) {
      const title = (doc.title ?? "").toLowerCase();
      const path = (doc.breadcrumbs ?? "").toLowerCase();
      const body = (doc.body ?? "").toLowerCase();
      let score = 0;
      const inAll = words.every((word) => {
        const found = (title.includes(word) ? 8 : 0) + (path.includes(word) ? 2 : 0) + (body.split(word).length - 1);
        score += found;
        return found > 0;
      });
      if (inAll) results.push({ ref, score, doc });
    }
    return results.sort((a, b) => b.score - a.score);
  }

  function extend(elasticlunr) {
    const load = elasticlunr.Index.load;
    elasticlunr.Index.load = function (data) {
      const index = load.call(this, data);
      const search = index.search.bind(index);
      index.search = (query, options) =>
        HANGUL.test(query) && index.documentStore.docs ? searchStored(index, query) : search(query, options);
      return index;
    };
    return elasticlunr;
  }

  // The search library arrives later than this script, as a global.
  let library = window.elasticlunr && extend(window.elasticlunr);
  Object.defineProperty(window, "elasticlunr", {
    configurable: true,
    get: () => library,
    set: (value) => {
      library = extend(value);
    },
  });
})();
