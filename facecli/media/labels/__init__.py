"""Labels in files; NOTICE says where the pictures of the visible label come from and under which licence."""
