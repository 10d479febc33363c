"""What tests of several files share: inputs, runs of the workflow, facts about its rules."""
