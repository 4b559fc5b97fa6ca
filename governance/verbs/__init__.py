"""What `manage.py governance` can do: one module for each kind of verb; every verb returns an Answer."""
