"""`make chaos`: a whole house pays while everything around it breaks, and the chains themselves are audited."""
