"""May we, here, now? Pure verdicts with their reasons; every one is asked, and all of them stand in the trail."""
