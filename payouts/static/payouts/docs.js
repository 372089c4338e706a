// Without a null validatorUrl the page would send the document's address to somebody else's validator.
SwaggerUIBundle({
    url: document.getElementById("document").dataset.url,
    dom_id: "#document",
    deepLinking: true,
    validatorUrl: null,
});
