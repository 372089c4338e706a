// htmx would add a style element of its own, which the content policy refuses.
htmx.config.includeIndicatorStyles = false;
