// Runs before the first paint: says that scripts work, so controls that need them may show.
document.documentElement.classList.add("js");
