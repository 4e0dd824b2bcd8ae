SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  // No badge of a validator, which is elsewhere.
  validatorUrl: null,
  defaultModelsExpandDepth: -1,
});
