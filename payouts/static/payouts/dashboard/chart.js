// Draws the chart of money in and out whenever htmx has put its numbers into the page; the sums beside it are the exact ones.
const draw = () => {
    for (const canvas of document.querySelectorAll("canvas[data-chart]:not([data-drawn])")) {
        canvas.dataset.drawn = "1";
        const points = JSON.parse(document.getElementById(canvas.dataset.chart).textContent);
        const bars = (label, values, color) => ({ label, data: values.map(Number), backgroundColor: color });
        new Chart(canvas, {
            type: "bar",
            data: { labels: points.labels, datasets: [bars("In", points.came, "#1b6b3a"), bars("Out", points.went, "#1d4fbf")] },
            options: {
                maintainAspectRatio: false,
                animation: false,
                scales: { y: { beginAtZero: true, title: { display: true, text: canvas.dataset.asset } }, x: { ticks: { maxRotation: 0, autoSkip: true } } },
            },
        });
    }
};
document.addEventListener("htmx:afterSwap", draw);
