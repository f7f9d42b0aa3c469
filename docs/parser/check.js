// Exit 0 when the official parser takes the document on standard input without a diagnostic.
const { Parser } = require("@asyncapi/parser");

new Parser().parse(require("node:fs").readFileSync(0, "utf8")).then(({ document, diagnostics }) => {
  console.log(JSON.stringify(diagnostics, null, 1));
  process.exit(document && diagnostics.length === 0 ? 0 : 1);
});
