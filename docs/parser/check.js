// Print what AsyncAPI's own tools make of the document on standard input: {diagnostics, models}, the models by name.
const { Parser } = require("@asyncapi/parser");
const { TypeScriptGenerator } = require("@asyncapi/modelina");

const document = JSON.parse(require("node:fs").readFileSync(0, "utf8"));

(async () => {
  const { diagnostics } = await new Parser().parse(JSON.stringify(document));
  const models = await new TypeScriptGenerator({ modelType: "interface" }).generate(document);
  console.log(JSON.stringify({ diagnostics, models: Object.fromEntries(models.map((it) => [it.modelName, it.result])) }));
})();
